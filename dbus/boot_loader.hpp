// SPDX-License-Identifier: LGPL-2.1-or-later
// Has the policy's kernel parameters handed to the boot loader by memonline-bootparams.service: the
// service itself may not write what a machine boots with, and asks PID 1 over the bus.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "compiler/base/result.hpp"
#include "dbus/compat.hpp"

namespace memonline::bus {

class BootLoader {
 public:
  explicit BootLoader(sdbus::IConnection& connection);
  /// Comes when the unit has ended: nothing, or why not. In the loop's thread.
  using Done = std::function<void(std::optional<sdbus::Error>)>;
  void write(Done done);

 private:
  void ended(const std::string& job, const std::string& result);

  std::map<std::string, Done> waiting_;  ///< by the path of systemd's job
  std::unique_ptr<sdbus::IProxy> systemd_;
};

}  // namespace memonline::bus
