// SPDX-License-Identifier: LGPL-2.1-or-later
// Has the policy's kernel parameters handed to the boot loader by memonline-bootparams.service: the
// service itself may not write what a machine boots with, and asks PID 1 over the bus.
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

/// One run of the unit at a time. A call that comes while it runs gets a run of its own, shared
/// with all that wait by then: the one under way may have read an older policy.
class BootLoader {
 public:
  explicit BootLoader(sdbus::IConnection& connection);
  /// Comes when the unit has ended: nothing, or why not. In the loop's thread.
  using Done = std::function<void(const std::optional<sdbus::Error>&)>;
  void write(Done done);

 private:
  void start();
  void ended(const std::string& job, const std::string& result);
  void answer(const std::optional<sdbus::Error>& error);

  std::vector<Done> running_, waiting_;
  std::string job_;  ///< systemd's, of those in `running_`; empty: it has not said yet
  std::chrono::steady_clock::time_point began_;
  std::unique_ptr<sdbus::IProxy> systemd_;
};

}  // namespace memonline::bus
