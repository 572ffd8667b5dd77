// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/syntax/pieces.hpp"

#include <algorithm>
#include <array>

#include "compiler/syntax/grammar.hpp"
#include "compiler/text/utf8.hpp"

namespace memonline::syntax {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

constexpr std::array<std::string_view, 5> kPairs{"..", "<=", ">=", "&&", "||"};

class Scanner {
 public:
  Scanner(std::string_view text, std::size_t end) : text_(text), end_(end) {}

  /// The piece that starts at `at`.
  [[nodiscard]] Piece piece_at(std::size_t at) const {
    if (is_letter(text_[at]) || text_[at] == '_') return make(Piece::Kind::Word, at, word_end(at));
    if (is_digit(text_[at])) return make(Piece::Kind::Number, at, number_end(at));
    if (text_[at] == '"') {
      const std::size_t close = std::min(text_.find('"', at + 1), end_);
      return make(Piece::Kind::Quoted, at, std::min(close + 1, end_));
    }
    for (const std::string_view pair : kPairs)
      if (text_.substr(at, 2) == pair && at + 2 <= end_)
        return make(Piece::Kind::Symbol, at, at + 2);
    const std::size_t length = std::max<std::size_t>(1, text::utf8_length(text_, at));
    return make(Piece::Kind::Symbol, at, std::min(at + length, end_));
  }

 private:
  [[nodiscard]] Piece make(Piece::Kind kind, std::size_t begin, std::size_t end) const {
    return {kind, text_.substr(begin, end - begin), begin, end};
  }
  [[nodiscard]] bool letter_at(std::size_t at) const { return at < end_ && is_letter(text_[at]); }
  [[nodiscard]] std::size_t word_end(std::size_t at) const {
    while (at < end_ &&
           (is_letter(text_[at]) || text_[at] == '_' || (text_[at] == '-' && letter_at(at + 1))))
      ++at;
    return at;
  }
  [[nodiscard]] std::size_t number_end(std::size_t at) const {
    const auto goes_on = [&](char c) { return is_digit(c) || is_letter(c); };
    while (at < end_ &&
           (goes_on(text_[at]) || (text_[at] == '.' && at + 1 < end_ && is_digit(text_[at + 1]))))
      ++at;
    return at;
  }

  std::string_view text_;
  std::size_t end_;
};

}  // namespace

bool Piece::is(std::string_view word) const {
  return (kind == Kind::Word || kind == Kind::Symbol) && same_word(text, word);
}

std::size_t statement_end(std::size_t start, std::string_view text) {
  bool quoted = false;
  std::size_t open = 0;
  for (std::size_t at = start; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\n') return at;
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == ';' || c == '#' || (c == '}' && open == 0)) return at;
    if (c == '{') ++open;
    if (c == '}') --open;
  }
  return text.size();
}

StatementText::StatementText(std::string_view whole, std::uint32_t number, std::size_t start)
    : text(whole),
      file(number),
      begin(start),
      end(statement_end(start, whole)),
      pieces(pieces_of(whole, start, end)) {}

std::size_t StatementText::find(std::string_view symbol, std::size_t from) const {
  while (from < pieces.size() && !pieces[from].is(symbol)) ++from;
  return from;
}

std::vector<Piece> pieces_of(std::string_view text, std::size_t begin, std::size_t end) {
  const Scanner scanner(text, end);
  std::vector<Piece> pieces;
  for (std::size_t at = begin; at < end;) {
    if (is_blank(text[at])) {
      ++at;
      continue;
    }
    if (pieces.size() == kMaxPieces) return {};
    pieces.push_back(scanner.piece_at(at));
    at = pieces.back().end;
  }
  return pieces;
}

}  // namespace memonline::syntax
