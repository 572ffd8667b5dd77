// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "compiler/model/host.hpp"

namespace memonline::runtime {

/// What follows from the facts, the same for each source: the era with its evidence, and the
/// fingerprint.
void finish(model::Host& host);

}  // namespace memonline::runtime
