// SPDX-License-Identifier: LGPL-2.1-or-later
// Whether a command or a systemd unit that udev starts may online memory: by its words, and by the
// text of the script or unit, if it can be read.
#pragma once

#include <cstdint>
#include <string_view>

#include "runtime/host/tree.hpp"

namespace memonline::runtime {

enum class Onlines : std::uint8_t {
  No,
  Unread,  ///< its effect is unknown
  May,     ///< it is about onlining memory
  Writes,  ///< the command itself writes the state of memory
};

/// `tree` may be nullptr: then scripts and units cannot be read.
Onlines command_onlines(const Tree* tree, std::string_view command);
/// "online-memory@%k.service".
Onlines unit_onlines(const Tree* tree, std::string_view unit);

}  // namespace memonline::runtime
