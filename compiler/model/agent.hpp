// SPDX-License-Identifier: LGPL-2.1-or-later
// The competing onlining agents of a host: udev rules, kernel parameters, the configuration of
// daxctl. As read, before any policy is compared with it (plan/agents.hpp).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace memonline::model {

struct OnliningAgent {
  enum class Kind : std::uint8_t {
    UdevRule,       ///< a rule that writes the state of a block, or the auto-online setting
    UdevProgram,    ///< a rule that starts a program or a unit
    BootParameter,  ///< memhp_default_state= on the kernel command line, one for each word
    BootDefault,    ///< what the kernel was built with
    Daxctl,         ///< a section of /etc/daxctl.conf.d that turns devices into memory
  };
  Kind kind = Kind::UdevRule;
  std::string path;          ///< "/usr/lib/udev/rules.d/40-redhat.rules"
  std::uint32_t line = 1;    ///< from 1
  std::uint32_t column = 1;  ///< in bytes, from 1
  std::string text;          ///< the words there: `ATTR{state}="online"`
  std::string source;        ///< the line that they are on
  /// The states that it writes: "online_movable". Several if they depend on facts unknown here.
  std::vector<std::string> states;
  std::string program;  ///< UdevProgram: "/usr/local/sbin/online %k", "online-memory@.service"
  /// UdevProgram: the rule itself says what the program writes. Else only the program knows.
  bool certain = true;
  bool writes_setting = false;  ///< it writes auto_online_blocks, not a block
  std::vector<std::string>
      only_with;  ///< it acts at these values of auto_online_blocks; empty: any
  friend bool operator==(const OnliningAgent&, const OnliningAgent&) = default;
};

}  // namespace memonline::model
