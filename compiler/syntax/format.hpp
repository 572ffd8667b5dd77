// SPDX-License-Identifier: LGPL-2.1-or-later
// Canonical source, for `memonline fmt`: the same statements in the same order with the same
// comments, spelled one way. Its output parses to the same policy, and is its own canonical
// source.
#pragma once

#include <optional>
#include <string>

#include "compiler/diag/diagnostic.hpp"
#include "compiler/source/source.hpp"

namespace memonline::syntax {

/// Empty, with diagnostics, if the text cannot be parsed. Names are not resolved.
std::optional<std::string> format(const source::SourceFile& file, diag::Sink& sink);

}  // namespace memonline::syntax
