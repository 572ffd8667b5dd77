// SPDX-License-Identifier: LGPL-2.1-or-later
// Parts of this host that add memory and rely on auto_online_blocks, or ignore it; whether the
// kernel ignores DIMMs; the highest address of the kernel's memory; and the value of the setting
// before a service changed it.
#pragma once

#include "compiler/model/host.hpp"
#include "runtime/host/notes.hpp"
#include "runtime/host/tree.hpp"

namespace memonline::runtime {

/// After the architecture and the devices are known.
void read_adders(const Tree& tree, model::Host& host);

}  // namespace memonline::runtime
