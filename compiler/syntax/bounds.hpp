// SPDX-License-Identifier: LGPL-2.1-or-later
// How large the parts of a policy may be. Whoever may ask for a plan decides how long its policy
// is, so every list has a bound; hosts of 4096 nodes, each with a rule of its own, are well within.
// The size of a file and the nesting of `when` are bounded by the parser (parse.hpp).
#pragma once

#include <cstddef>

#include "compiler/diag/diagnostic.hpp"
#include "compiler/syntax/ast.hpp"

namespace memonline::syntax {

/// Rules, limits, settings and conditions, of all files together.
inline constexpr std::size_t kMaxStatements = 32768;
/// Shares of a rule.
inline constexpr std::size_t kMaxShares = 64;
/// Classes of a selector, and as many behind its `except`.
inline constexpr std::size_t kMaxClasses = 16;
/// Ranges of a list of numbers: every second one of 8192 nodes.
inline constexpr std::size_t kMaxRanges = 4096;
/// Values of a condition.
inline constexpr std::size_t kMaxValues = 1024;
/// Bytes of a name, number or value.
inline constexpr std::size_t kMaxWord = 255;

/// Reports parts that exceed their limit (ML0113). `statements` counts those of the files before,
/// and of this one when it returns. False: something was reported, and the file is not to be used.
bool check_bounds(const ast::File& file, std::size_t& statements, diag::Sink& sink);

}  // namespace memonline::syntax
