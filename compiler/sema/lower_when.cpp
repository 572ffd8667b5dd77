// SPDX-License-Identifier: LGPL-2.1-or-later
// `when FACT TEST VALUE, ...`: facts, tests, and values of the kind that the fact has.
#include <algorithm>

#include "compiler/language/conditions.hpp"
#include "compiler/sema/lower.hpp"
#include "compiler/sema/numbers.hpp"
#include "compiler/sema/version.hpp"
#include "compiler/sema/words.hpp"
#include "compiler/syntax/parse.hpp"
#include "compiler/text/utf8.hpp"

namespace memonline::sema {

namespace {

using diag::Code;

using language::kFacts;
using language::kTests;

/// The operators of other languages.
constexpr Names<std::string_view, 7> kForeignTests{{{"is", "="},
                                                    {"is", "=="},
                                                    {"is not", "!="},
                                                    {"is not", "<>"},
                                                    {"<=", "=<"},
                                                    {">=", "=>"},
                                                    {"is not", "!"}}};

bool is_ordered(Fact fact) {
  return fact == Fact::Kernel || fact == Fact::Memory || fact == Fact::Nodes;
}

std::optional<Test> lower_test(const ast::Word& word, diag::Sink& sink) {
  ast::Word one = word;
  const bool has_not = word.text.size() > 2 && (word.text[0] == 'i' || word.text[0] == 'I');
  if (has_not) {
    // Any blanks are allowed between the two words.
    require_lower_case(word, sink);
    return Test::IsNot;
  }
  if (const auto test = find_word(one, kTests, sink)) return test;
  diag::Diagnostic& d =
      sink.add(Code::UnknownTest, word.span, fmt::format("no test named `{}`", word.text));
  for (const auto& foreign : kForeignTests)
    if (foreign.second == word.text) {
      replace_by(d, word, foreign.first);
      return std::nullopt;
    }
  d.help = fmt::format("use {}", listed(names_of(kTests), "or"));
  return std::nullopt;
}

/// `and`, `or` between values, and which fact the rest asks for, if any.
struct Joined {
  const ast::Word* by = nullptr;
  bool asks_again = false;
};

/// `is x86_64 and memory > 4GiB`, `is s390x or ppc64`: what joins conditions in other languages. A
/// text of several words may hold an `and` of its own, unless a fact follows it.
Joined joined(Fact fact, const std::vector<ast::Word>& words) {
  for (std::size_t i = 1; i + 1 < words.size(); ++i) {
    const std::string word = in_lower_case(words[i].text);
    if (word != "and" && word != "or" && word != "&&" && word != "||") continue;
    const std::string next = in_lower_case(words[i + 1].text);
    const bool asks_again = std::any_of(kFacts.begin(), kFacts.end(),
                                        [&](const auto& entry) { return entry.second == next; });
    const bool free_text = fact == Fact::Vendor || fact == Fact::Product || fact == Fact::Family;
    if (asks_again || !free_text) return {&words[i], asks_again};
  }
  return {};
}

void report_joined(const Joined& found, diag::Sink& sink) {
  const std::string word = in_lower_case(found.by->text);
  const bool both = word == "and" || word == "&&";
  diag::Diagnostic& d = sink.add(Code::FactValue, found.by->span,
                                 fmt::format("`{}` does not join conditions", found.by->text));
  if (both)
    d.help = "write another `when` inside the braces of this one";
  else if (found.asks_again)
    d.help = "write another `when` after this one, as `} else when ...`";
  else
    d.help = "separate values with `,`";
}

/// The text of a value as one word, without quotes. Values of several words want quotes.
std::optional<std::string> read_text(const std::vector<ast::Word>& words, diag::Sink& sink) {
  const source::SourceSpan span = span_of(words);
  if (words.size() > 1) {
    std::string joined;
    bool quotes = false;
    for (const ast::Word& word : words) {
      joined += (joined.empty() ? "" : " ") + std::string(word.text);
      quotes = quotes || word.text.front() == '"';
    }
    diag::Diagnostic& d =
        sink.add(Code::FactValue, span, fmt::format("`{}` consists of several words", joined));
    d.help = "quote values that contain spaces; separate values with `,`";
    if (!quotes) d.fixit = diag::FixIt{span, fmt::format("\"{}\"", joined)};
    return std::nullopt;
  }
  std::string_view text = words.front().text;
  if (text.front() == '"') text = text.substr(1, text.size() - 2);
  if (text.empty()) {
    sink.add(Code::FactValue, span, "an empty value matches nothing");
    return std::nullopt;
  }
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = text::utf8_length(text, at);
    const auto byte = static_cast<unsigned char>(text[at]);
    if (length == 0) {
      sink.add(Code::InvalidUtf8, span, fmt::format("invalid UTF-8: byte 0x{:02x}", byte)).help =
          "save the file as UTF-8";
      return std::nullopt;
    }
    if (byte < 0x20 || byte == 0x7F) {
      sink.add(Code::StrayCharacter, span,
               fmt::format("unexpected control character U+{:04X}", byte))
          .help = "remove it";
      return std::nullopt;
    }
    at += length;
  }
  return std::string(text);
}

/// "64GiB" or "64 GiB" as number and unit.
std::optional<FactValue> read_memory(const std::vector<ast::Word>& words, diag::Sink& sink) {
  const source::SourceSpan span = span_of(words);
  const ast::Word& word = words.front();
  const std::size_t digits = std::min(word.text.find_first_not_of("0123456789."), word.text.size());
  ast::Amount amount;
  const auto cut = word.span.begin + static_cast<std::uint32_t>(digits);
  amount.number = {word.text.substr(0, digits), {span.file, span.begin, cut}};
  if (digits < word.text.size())
    amount.unit = {word.text.substr(digits), {span.file, cut, word.span.end}};
  else if (words.size() == 2)
    amount.unit = words[1];
  const bool spare = words.size() > (digits < word.text.size() ? 1U : 2U);
  if (digits == 0 || spare) {
    sink.add(Code::FactValue, span, "`memory` is compared with a size").help =
        "write for example `64GiB`";
    return std::nullopt;
  }
  const auto size = read_size(amount, sink);
  if (!size) return std::nullopt;
  return FactValue{{}, size->value(), span};
}

std::optional<FactValue> read_value(Fact fact, const std::vector<ast::Word>& words,
                                    diag::Sink& sink) {
  if (const Joined found = joined(fact, words); found.by != nullptr) {
    report_joined(found, sink);
    return std::nullopt;
  }
  if (fact == Fact::Memory) return read_memory(words, sink);
  auto text = read_text(words, sink);
  if (!text) return std::nullopt;
  FactValue value{std::move(*text), 0, span_of(words)};
  if (fact == Fact::Nodes) {
    const Number number = whole_number(value.text);
    if (number.fault == NumberFault::NotANumber) {
      sink.add(Code::FactValue, value.span, "`nodes` is compared with a number").help =
          "write for example `2`";
      return std::nullopt;
    }
    if (!check_number(words.front(), number.fault, sink)) return std::nullopt;
    return FactValue{{}, number.value, value.span};
  }
  if (fact == Fact::Kernel && !is_version(value.text)) {
    sink.add(Code::FactValue, value.span, fmt::format("invalid kernel version `{}`", value.text))
        .help = "write numbers separated by dots, for example `6.12`";
    return std::nullopt;
  }
  return value;
}

}  // namespace

std::optional<When> lower_condition(const ast::Condition& node, diag::Sink& sink) {
  const std::size_t errors = sink.errors();
  require_lower_case(node.keyword, sink);
  const auto fact = look_up(node.fact, kFacts, Code::UnknownFact, "fact", sink);
  const auto test = lower_test(node.test, sink);
  if (!fact || !test) return std::nullopt;
  When when;
  when.fact = *fact;
  when.test = *test;
  when.span = span_of(node);
  const bool comparison = *test != Test::Is && *test != Test::IsNot;
  if (comparison && !is_ordered(*fact)) {
    sink.add(Code::TestNotOrdered, ast::join(node.fact.span, node.test.span),
             fmt::format("`{}` cannot compare `{}`: it has no order", node.test.text,
                         node.fact.text))
        .help =
        "use `is` or `is not`; `<`, `<=`, `>` and `>=` are for `kernel`, `memory` and `nodes`";
    return std::nullopt;
  }
  for (const auto& words : node.values)
    if (sink.errors() >= syntax::kMaxErrors)
      return std::nullopt;
    else if (auto value = read_value(*fact, words, sink))
      when.values.push_back(std::move(*value));
  if (comparison && node.values.size() > 1)
    sink.add(Code::FactValue, ast::join(span_of(node.values[1]), span_of(node.values.back())),
             fmt::format("`{}` takes only one value", node.test.text))
        .help = "keep one value; `is` and `is not` take several";
  if (sink.errors() > errors) return std::nullopt;
  return when;
}

}  // namespace memonline::sema
