// SPDX-License-Identifier: LGPL-2.1-or-later
// What else onlines memory on a host: udev rules and what they start, memhp_default_state= on the
// kernel command line, what the kernel was built with, the configuration of daxctl.
#pragma once

#include <vector>

#include "compiler/model/host.hpp"
#include "runtime/host/tree.hpp"

namespace memonline::runtime {

/// In this order: udev's by file and line, then the kernel's, then daxctl's. `host` has the machine
/// and the kernel settings. Files that are missing or cannot be read are ignored.
std::vector<model::OnliningAgent> read_onlining_agents(const Tree& root, const model::Host& host);

}  // namespace memonline::runtime
