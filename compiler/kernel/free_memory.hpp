// SPDX-License-Identifier: LGPL-2.1-or-later
// Free memory after blocks are onlined and offlined on the model.
#pragma once

#include "compiler/model/host.hpp"

namespace memonline::kernel {

/// Adapts the amounts of free memory in `now` from those of `start` to its own online blocks: an
/// onlined block is empty, and the used pages of an offlined block move elsewhere, where they
/// reduce the free memory.
void follow_use(const model::Host& start, model::Host& now);

}  // namespace memonline::kernel
