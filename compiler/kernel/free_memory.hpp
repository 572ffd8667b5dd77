// SPDX-License-Identifier: LGPL-2.1-or-later
// What becomes of free memory when blocks go online and offline on the model.
#pragma once

#include "compiler/model/host.hpp"

namespace memonline::kernel {

/// Brings the figures of free memory in `now` from those of `start` to its own online blocks:
/// blocks come online empty, and of those that go offline the pages in use move elsewhere, so that
/// less is free there.
void follow_use(const model::Host& start, model::Host& now);

}  // namespace memonline::kernel
