// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "compiler/model/host.hpp"

namespace memonline::runtime {

/// What follows from the facts, the same for each source: the era with its evidence, the zones that
/// spans prove, and the fingerprint. Texts are made printable before.
void finish(model::Host& host);

/// Names from a host are shown on terminals and written to generated files: makes them UTF-8
/// without control characters.
void make_printable(model::Host& host);

}  // namespace memonline::runtime
