// SPDX-License-Identifier: LGPL-2.1-or-later
// The dax devices of a host for people: a table, what would make a device system RAM, and the tiers
// of memory between which the kernel demotes pages.
#pragma once

#include <string>

#include "compiler/model/host.hpp"

namespace memonline::cli {

/// With an empty line before it; empty without dax devices.
std::string dax_to_text(const model::Host& host, bool colored);

}  // namespace memonline::cli
