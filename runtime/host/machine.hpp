// SPDX-License-Identifier: LGPL-2.1-or-later
// What kind of machine it is: kernel release, architecture, virtualization, DMI strings.
#pragma once

#include "compiler/model/host.hpp"
#include "runtime/host/notes.hpp"
#include "runtime/host/read_host.hpp"

namespace memonline::runtime {

void read_machine(const Tree& tree, Liveness liveness, Notes& notes, model::Host& host);

}  // namespace memonline::runtime
