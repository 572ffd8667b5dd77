// SPDX-License-Identifier: LGPL-2.1-or-later
// What the service says: to the journal with its fields where systemd started it, else to standard
// error with the priority in front, as sd-daemon(3) has it.
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
