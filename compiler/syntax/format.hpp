// SPDX-License-Identifier: LGPL-2.1-or-later
// Canonical source, for `memonline fmt`: the same statements in the same order with the same
// comments, spelled one way. What it gives parses to the same policy, and is its own canonical
// source.
#pragma once

#include <optional>
#include <string>

#include "compiler/diag/diagnostic.hpp"
#include "compiler/source/source.hpp"

namespace memonline::syntax {

/// Empty if the text cannot be parsed; the sink says why. Names are not looked up.
std::optional<std::string> format(const source::SourceFile& file, diag::Sink& sink);

}  // namespace memonline::syntax
