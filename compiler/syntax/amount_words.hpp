// SPDX-License-Identifier: LGPL-2.1-or-later
// Amounts in words: fractions, numbers, and the bounds that people put before them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/syntax/pieces.hpp"

namespace memonline::syntax {

struct Fraction {
  std::uint64_t numerator = 0;
  std::uint64_t denominator = 1;
  std::size_t pieces = 0;  ///< that it takes
};

/// `1/3`, `half`, `two thirds`, `a quarter`, the sign for one half.
std::optional<Fraction> fraction_at(const std::vector<Piece>& pieces, std::size_t at);

/// "33.333333%", rounded down; empty for nothing and for more than the whole.
std::string percent_text(const Fraction& fraction);

/// "1.5" for 3:2, to three decimals; empty where these do not say it exactly.
std::string times_text(const Fraction& fraction);

/// "two" to "twelve"; `one` only says that there is a number.
std::optional<std::uint64_t> number_word(const Piece& piece);

enum class Bound : std::uint8_t { AtLeast, AtMost, Exactly, About };
struct BoundPhrase {
  Bound bound;
  std::size_t pieces;  ///< that it takes
};
/// `at least`, `up to`, `minimum`, `>=`, `about`.
std::optional<BoundPhrase> bound_at(const std::vector<Piece>& pieces, std::size_t at);

/// Words that say nothing about the amount: `the`, `of`, `memory`.
bool is_filler(const Piece& piece);

}  // namespace memonline::syntax
