// SPDX-License-Identifier: LGPL-2.1-or-later
// The kernel settings that the service changes while it runs: those that the policy requires, or
// `auto_online_blocks=offline` if the service itself onlines memory. The previous values are in
// /run/memonline/switches, so that after a kill, the next service can restore them.
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
  /// `file` need not exist. Values that a killed service of this boot left in it are taken over.
  KnobLease(std::string file, std::string boot_id);

  /// Sets the kernel settings in `wished`, and restores those that were held before and are no
  /// longer in it. Saves the previous values before the first write. Returns what was done, a
  /// sentence each; empty: nothing. A change by another process is corrected twice; after that, the
  /// service defers to it.
  Result<std::vector<std::string>, runtime::FileError> hold(
      const std::map<model::Knob, std::string>& wished, apply::MemoryPort& port,
      std::optional<model::BlockId> online_block);
  /// Restores all settings, except those that another process has changed meanwhile.
  std::vector<std::string> put_back(apply::MemoryPort& port,
                                    std::optional<model::BlockId> online_block);

  struct Held {
    std::string before, now;
    int corrections = 0;     ///< of what another process wrote
    bool deferred = false;   ///< to the other process, until another value is required
    std::string other = {};  ///< the value of that process, if it is still set
    friend bool operator==(const Held&, const Held&) = default;
  };
  [[nodiscard]] const std::map<model::Knob, Held>& held() const { return held_; }
  /// The previous value; empty: the setting is not held.
  [[nodiscard]] std::optional<std::string> before(model::Knob knob) const;
  /// The settings that another process has set instead, a sentence each.
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
