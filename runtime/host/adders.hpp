// SPDX-License-Identifier: LGPL-2.1-or-later
// What of this host adds memory by itself and relies on auto_online_blocks, or does not care for
// it; how far the kernel's memory can reach; and what the setting said before a service changed it.
#pragma once

#include "compiler/model/host.hpp"
#include "runtime/host/notes.hpp"
#include "runtime/host/tree.hpp"

namespace memonline::runtime {

/// After the architecture and the devices are known.
void read_adders(const Tree& tree, model::Host& host);

}  // namespace memonline::runtime
