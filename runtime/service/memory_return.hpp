// SPDX-License-Identifier: LGPL-2.1-or-later
// When to return memory that requests have freed to the kernel: when a reply has been read, which
// is after a second, or much later.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

#include "runtime/service/locked_memory.hpp"

namespace memonline::service {

class MemoryReturn {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::milliseconds kAfter{1000};
  static constexpr unsigned kAttempts = 6;

  /// Memory may have been allocated.
  void expect(Time now) {
    attempts_ = 0;
    if (!at_) at_ = now + kAfter;
  }
  [[nodiscard]] std::optional<Time> due() const { return at_; }
  /// Memory that is still in use after some attempts is needed, for example for a larger machine.
  void tick(Time now) {
    if (!at_ || *at_ > now) return;
    at_.reset();
    if (!memory_has_grown()) return;
    return_memory();
    if (!memory_has_grown()) return;
    if (++attempts_ < kAttempts)
      at_ = now + kAfter * (1U << std::min(attempts_, 4U));
    else
      accept_growth();
  }

 private:
  std::optional<Time> at_;
  unsigned attempts_ = 0;  ///< since the last request
};

}  // namespace memonline::service
