// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/syntax/print.hpp"

#include <fmt/format.h>

#include "compiler/syntax/grammar.hpp"
#include "compiler/syntax/vocabulary.hpp"

namespace memonline::syntax {

namespace {

/// K and KiB are the same; the longer name cannot be taken for 1000.
std::string_view canonical_unit(std::string_view unit) {
  for (std::string_view name : {"KiB", "MiB", "GiB", "TiB"})
    if (unit == name.substr(0, 1)) return name;
  return unit;
}

void append_word(std::string& out, std::string_view word) {
  if (!out.empty()) out += ' ';
  out += word;
}

std::string print(const std::vector<ast::Range>& ranges) {
  std::string out;
  for (const ast::Range& range : ranges) {
    if (!out.empty()) out += ',';
    out += range.first.text;
    if (range.last) out += fmt::format("-{}", range.last.text);
  }
  return out;
}

/// `node1` and `dimm2` are one word; longer lists read better apart.
std::string print(const ast::Class& node) {
  std::string out(node.name.text);
  if (!node.ranges.empty()) {
    return out + (is_apart(node.name.text) ? " " : "") + print(node.ranges);
  }
  if (!node.argument) return out;
  if (!same_word(node.name.text, "dax")) return fmt::format("{} {}", out, node.argument.text);
  const bool whole = same_word(node.argument.text.substr(0, 3), "dax");
  return whole ? std::string(node.argument.text) : out + std::string(node.argument.text);
}

std::string print(const std::vector<ast::Class>& nodes) {
  std::string out;
  bool bare_dax = false;  // a bare `dax` would take the short spelling `dax0.0` for its own name
  for (const ast::Class& node : nodes) {
    const bool dax = same_word(node.name.text, "dax");
    if (dax && node.argument && bare_dax) append_word(out, "dax");
    append_word(out, print(node));
    bare_dax = dax && !node.argument;
  }
  return out;
}

std::string print(const ast::Amount& node) {
  const std::string_view unit = canonical_unit(node.unit.text);
  const bool apart = same_word(unit, "blocks") || same_word(unit, "block");
  if (node.number.text == "1" && node.unit.text == "block") return "1 block";
  return fmt::format("{}{}{}", node.number.text, apart ? " " : "", unit);
}

std::string print(const ast::Share& node) {
  std::string out;
  for (const ast::Word& place : node.places) append_word(out, place.text);
  if (node.amount.number) append_word(out, print(node.amount));
  append_word(out, node.target.text);
  return out;
}

}  // namespace

std::string print(const ast::Rule& node) {
  std::string out(node.selector.each.text);
  append_word(out, print(node.selector.classes));
  if (node.selector.except) {
    append_word(out, node.selector.except.text);
    append_word(out, print(node.selector.exceptions));
  }
  for (std::size_t i = 0; i < node.shares.size(); ++i)
    out += fmt::format("{} {}", i == 0 ? ":" : ",", print(node.shares[i]));
  return out;
}

std::string print(const ast::Limit& node) {
  std::string out = fmt::format("{} {} {} {}", node.keyword.text, node.what.text, node.to.text,
                                print(node.amount));
  for (const ast::Word& word : {node.of, node.per.keyword, node.per.what})
    if (word) append_word(out, word.text);
  return out;
}

std::string print(const ast::Setting& node) {
  return fmt::format("{} {} = {}", node.keyword.text, node.name.text, node.value.text);
}

std::string print(const ast::Condition& node) {
  // The source may have any number of blanks between `is` and `not`: print one.
  const bool negated = node.test.text.size() > 2 && is_word_byte(node.test.text.front());
  std::string out = fmt::format("{} {} {}", node.keyword.text, node.fact.text,
                                negated ? "is not" : node.test.text);
  for (std::size_t i = 0; i < node.values.size(); ++i) {
    if (i > 0) out += ',';
    for (const ast::Word& word : node.values[i]) append_word(out, word.text);
  }
  return out;
}

}  // namespace memonline::syntax
