// SPDX-License-Identifier: LGPL-2.1-or-later
// From text to syntax tree. Recovers at the end of a statement, so that one run reports several
// mistakes; the tree then holds the statements that could be read.
#pragma once

#include <cstddef>
#include <cstdint>

#include "compiler/diag/diagnostic.hpp"
#include "compiler/syntax/ast.hpp"

namespace memonline::syntax {

/// A policy is about a page long. 1 MiB keeps every answer below one second.
inline constexpr std::size_t kMaxFileSize = std::size_t{1} << 20U;
/// How deep `when` may nest.
inline constexpr std::size_t kMaxNesting = 64;
/// How many branches may hang together by `else when`, counted with those around them.
inline constexpr std::size_t kMaxBranches = 1000;
/// After this many errors the rest of the text is not checked.
inline constexpr std::size_t kMaxErrors = 100;

/// Reads file number `file` of `files`. The tree refers to the text of that file.
ast::File parse(const source::SourceSet& files, std::uint32_t file, diag::Sink& sink);

}  // namespace memonline::syntax
