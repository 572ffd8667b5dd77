// SPDX-License-Identifier: LGPL-2.1-or-later
// Only one run at a time changes the kernel parameters of a root.
#pragma once

#include <chrono>
#include <optional>

#include "compiler/diag/diagnostic.hpp"
#include "runtime/boot/files.hpp"

namespace memonline::boot {

inline constexpr const char* kLockPath = "/run/memonline/boot-parameters.lock";

/// Held until it is destroyed. It is /run/memonline/boot-parameters.lock, which only root can open;
/// a root that does not run is locked by its directory, so that nothing is left in it.
class Lock {
 public:
  /// Empty, with ML0780 or ML0777 in `sink`, if another process holds it for `patience`, or it
  /// cannot be opened.
  static std::optional<Lock> take(const Root& root, std::chrono::milliseconds patience,
                                  diag::Sink& sink);
  Lock(Lock&& other) noexcept;
  Lock& operator=(Lock&& other) noexcept;
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  ~Lock();

 private:
  explicit Lock(int file) : file_(file) {}
  int file_;
};

}  // namespace memonline::boot
