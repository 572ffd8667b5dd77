// SPDX-License-Identifier: LGPL-2.1-or-later
// A statement as words, numbers and symbols, regardless of their meaning: the input of the readers
// of mistakes, if the grammar cannot parse it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "compiler/source/source.hpp"

namespace memonline::syntax {

struct Piece {
  enum class Kind : unsigned char {
    Word,    ///< a to z and `_`, with `-` in between: "virtio-mem", "online_policy"
    Number,  ///< starts with a digit: "3", "1.5", "4GiB", "0x1fff", "3x", "0.0"
    Quoted,
    Symbol,  ///< one character of any other kind; "..", "<=", ">=", "&&", "||" are one
  };
  Kind kind = Kind::Symbol;
  std::string_view text;
  std::size_t begin = 0;
  std::size_t end = 0;

  [[nodiscard]] bool is(std::string_view word) const;  ///< a word or symbol, in any case
  [[nodiscard]] bool number() const { return kind == Kind::Number; }
  [[nodiscard]] bool word() const { return kind == Kind::Word; }
};

/// Longer statements are not mistakes that people make by hand.
inline constexpr std::size_t kMaxPieces = 200;

/// Where the statement that starts at `start` ends: at a line end, a comment, a `;`, or a `}` that
/// closes no `{` of its own.
std::size_t statement_end(std::size_t start, std::string_view text);

/// The pieces of [begin, end); none at all where there are more than kMaxPieces.
std::vector<Piece> pieces_of(std::string_view text, std::size_t begin, std::size_t end);

/// One statement of a text: what the readers of mistakes are given.
struct StatementText {
  std::string_view text;  ///< of the whole file
  std::uint32_t file = 0;
  std::size_t begin = 0;
  std::size_t end = 0;
  std::vector<Piece> pieces;

  StatementText(std::string_view whole, std::uint32_t number, std::size_t start);
  [[nodiscard]] source::SourceSpan span(std::size_t from, std::size_t to) const {
    return {file, static_cast<std::uint32_t>(from), static_cast<std::uint32_t>(to)};
  }
  /// The number of the first piece that is `symbol`; the number of all pieces where there is none.
  [[nodiscard]] std::size_t find(std::string_view symbol, std::size_t from = 0) const;
};

/// Nothing is between the two.
inline bool adjacent(const Piece& left, const Piece& right) { return left.end == right.begin; }

}  // namespace memonline::syntax
