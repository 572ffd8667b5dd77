// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "compiler/model/host.hpp"

namespace memonline::runtime {

/// What follows from the facts, the same for each source: the era with its evidence, the zones that
/// spans prove, and the fingerprint. Texts are made printable before.
void finish(model::Host& host);

/// Names that a host brings end up on terminals and in generated files: none has a control
/// character, and all are UTF-8.
void make_printable(model::Host& host);

}  // namespace memonline::runtime
