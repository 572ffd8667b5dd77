// SPDX-License-Identifier: LGPL-2.1-or-later
// The kernel's switches that the service holds while it runs: what a policy was lowered to, or
// `auto_online_blocks=offline` where the service itself brings memory online. What they said before
// is in /run/memonline/switches, so that also the service that follows a killed one puts them back.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/base/result.hpp"
#include "runtime/apply/port.hpp"
#include "runtime/base/file.hpp"

namespace memonline::service {

class KnobLease {
 public:
  /// `file` need not exist. What a killed service of this boot left in it is taken over.
  KnobLease(std::string file, std::string boot_id);

  /// Makes the kernel's switches say `wished`, and those held before that are no longer wished what
  /// they said at first. Written down before the first write. What was done, a sentence each;
  /// empty: nothing had to be. What another process has changed is corrected twice; after that the
  /// other process has it.
  Result<std::vector<std::string>, runtime::FileError> hold(
      const std::map<model::Knob, std::string>& wished, apply::MemoryPort& port,
      std::optional<model::BlockId> online_block);
  /// Everything back to what it said, but for what somebody else has changed meanwhile.
  std::vector<std::string> put_back(apply::MemoryPort& port,
                                    std::optional<model::BlockId> online_block);

  struct Held {
    std::string before, now;
    int corrections = 0;     ///< of what another process wrote
    bool deferred = false;   ///< it is the other process's, until another value is wanted
    std::string other = {};  ///< what that process wrote, if it still stands
    friend bool operator==(const Held&, const Held&) = default;
  };
  [[nodiscard]] const std::map<model::Knob, Held>& held() const { return held_; }
  /// What it said before; empty: it is not held.
  [[nodiscard]] std::optional<std::string> before(model::Knob knob) const;
  /// What another process holds in our place, a sentence each.
  [[nodiscard]] std::vector<std::string> deferred() const;

 private:
  void load();
  Result<std::string, runtime::FileError> save() const;
  static bool defers(model::Knob knob, Held& held, std::string_view now,
                     std::vector<std::string>& said);
  static void release_all(const std::map<model::Knob, Held>& all, apply::MemoryPort& port,
                          std::vector<std::string>& said);
  static std::string release(model::Knob knob, const Held& held, apply::MemoryPort& port);

  std::string file_;
  std::string boot_id_;
  std::map<model::Knob, Held> held_;
};

}  // namespace memonline::service
