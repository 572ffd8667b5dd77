// SPDX-License-Identifier: LGPL-2.1-or-later
// Messages of the service: to the journal with its fields if systemd started it, otherwise to
// standard error with the priority in front (sd-daemon(3)).
#pragma once

#include <string>
#include <vector>

#include "runtime/service/service.hpp"

namespace memonline::bus {

class Log {
 public:
  Log();
  void say(int priority, const std::string& message,
           const service::Listener::Fields& fields = {}) const;
  /// With fields of its own, "NAME=value" each.
  void record(int priority, const std::string& message, std::vector<std::string> fields) const;

 private:
  bool journal_;
};

}  // namespace memonline::bus
