// SPDX-License-Identifier: LGPL-2.1-or-later
// `kernelcore=50%`, `set auto_online_blocks = online`: a parameter or setting of the kernel in the
// place of a statement. A policy says what memory becomes; the plan finds the parameters.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "compiler/diag/diagnostic.hpp"
#include "compiler/syntax/pieces.hpp"

namespace memonline::syntax {

enum class KernelWord : std::uint8_t {
  Kernelcore,
  Movablecore,
  MovableNode,
  DefaultState,    ///< memhp_default_state=, auto_online_blocks
  OnlinePolicy,    ///< online_policy
  MovableRatio,    ///< auto_movable_ratio
  NumaAware,       ///< auto_movable_numa_aware
  MemmapOnMemory,  ///< memmap_on_memory
};

std::optional<KernelWord> kernel_word_of(std::string_view word);

/// The statement that has the effect of this value; empty where there is none, or no such value.
std::string statement_for(KernelWord word, std::string_view value);

/// Reports the statement if it is one of these, with or without `set`.
bool report_kernel_word(const StatementText& statement, diag::Sink& sink);

}  // namespace memonline::syntax
