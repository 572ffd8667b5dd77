// SPDX-License-Identifier: LGPL-2.1-or-later
// Makes memonline-bootparams.service pass the policy's kernel parameters to the boot loader: the
// service itself may not change what a machine boots with, so it starts that unit through PID 1.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compiler/base/result.hpp"
#include "dbus/compat.hpp"

namespace memonline::bus {

/// One run of the unit at a time. A call that arrives during a run gets a later run, shared with
/// all calls that wait by then: the current run may have read an older policy.
class BootLoader {
 public:
  explicit BootLoader(sdbus::IConnection& connection);
  /// Called in the loop's thread when the unit has ended: nothing, or the error.
  using Done = std::function<void(const std::optional<sdbus::Error>&)>;
  void write(Done done);

 private:
  void start();
  void ended(const std::string& job, const std::string& result);
  void answer(const std::optional<sdbus::Error>& error);

  std::vector<Done> running_, waiting_;
  std::string job_;  ///< systemd's job for `running_`; empty: not known yet
  std::chrono::steady_clock::time_point began_;
  std::unique_ptr<sdbus::IProxy> systemd_;
};

}  // namespace memonline::bus
