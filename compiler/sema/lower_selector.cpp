// SPDX-License-Identifier: LGPL-2.1-or-later
// Which memory a rule is about: classes, their numbers and names, `each`, `except`.
#include <algorithm>
#include <limits>
#include <variant>

#include "compiler/base/strong.hpp"
#include "compiler/language/selectors.hpp"
#include "compiler/sema/lower.hpp"
#include "compiler/sema/numbers.hpp"
#include "compiler/sema/words.hpp"
#include "compiler/syntax/parse.hpp"

namespace memonline::sema {

namespace {

using diag::Code;

using language::kClasses;
using language::Takes;

/// Names of classes elsewhere. CXL and persistent memory appear as dax devices.
constexpr Names<std::string_view, 9> kForeignClasses{{{"dax", "cxl"},
                                                      {"all", "memory"},
                                                      {"all", "ram"},
                                                      {"hotplugged", "hot-added"},
                                                      {"hotplugged", "hotadded"},
                                                      {"dax", "pmem"},
                                                      {"dax", "nvdimm"},
                                                      {"hotplugged", "hotplug"},
                                                      {"each", "every"}}};

struct ReadRange {
  std::uint64_t first;
  std::uint64_t last;
};

std::optional<ReadRange> read_range(const ast::Range& range, std::uint64_t highest,
                                    diag::Sink& sink) {
  const ast::Word& end = range.last ? range.last : range.first;
  bool good = true;
  const auto read = [&](const ast::Word& word) {
    Number number = whole_number(word.text);
    if (number.fault == NumberFault::None && number.value > highest)
      number.fault = NumberFault::TooLarge;
    good = check_number(word, number.fault, sink) && good;
    return number.value;
  };
  ReadRange result{read(range.first), 0};
  result.last = range.last ? read(range.last) : result.first;
  if (!good) return std::nullopt;
  if (result.first > result.last) {
    const source::SourceSpan span = ast::join(range.first.span, end.span);
    diag::Diagnostic& d =
        sink.add(Code::ReversedRange, span,
                 fmt::format("reversed range `{}-{}`", range.first.text, end.text));
    const std::string swapped = fmt::format("{}-{}", end.text, range.first.text);
    d.help = fmt::format("write `{}`", swapped);
    d.fixit = diag::FixIt{span, swapped};
    return std::nullopt;
  }
  return result;
}

/// Ranges in ascending order, those that touch or overlap as one.
template <class Number>
std::optional<std::vector<std::pair<Number, Number>>> read_list(
    const std::vector<ast::Range>& ranges, diag::Sink& sink) {
  std::vector<std::pair<Number, Number>> list;
  bool good = true;
  for (const ast::Range& range : ranges) {
    if (sink.errors() >= syntax::kMaxErrors) return std::nullopt;
    if (const auto read = read_range(range, std::numeric_limits<Number>::max(), sink))
      list.emplace_back(static_cast<Number>(read->first), static_cast<Number>(read->last));
    else
      good = false;
  }
  if (!good) return std::nullopt;
  std::sort(list.begin(), list.end());
  std::vector<std::pair<Number, Number>> merged;
  for (const auto& range : list) {
    const bool joins =
        !merged.empty() && (merged.back().second == std::numeric_limits<Number>::max() ||
                            range.first <= merged.back().second + 1);
    if (joins)
      merged.back().second = std::max(merged.back().second, range.second);
    else
      merged.push_back(range);
  }
  return merged;
}

template <Strong Name>
std::vector<std::pair<Name, Name>> named(
    const std::vector<std::pair<typename Name::Number, typename Name::Number>>& list) {
  std::vector<std::pair<Name, Name>> names;
  names.reserve(list.size());
  for (const auto& [first, last] : list) names.emplace_back(Name(first), Name(last));
  return names;
}

bool refuse_list(const ast::Class& node, diag::Sink& sink) {
  if (node.ranges.empty()) return true;
  source::SourceSpan span = span_of(node);
  span.begin = node.ranges.front().first.span.begin;
  diag::Diagnostic& d =
      sink.add(Code::ClassArgument, span, fmt::format("`{}` takes no numbers", node.name.text));
  d.help = "remove them";
  d.fixit = diag::FixIt{{span.file, node.name.span.end, span.end}, ""};
  return false;
}

std::optional<Addresses> read_address(const ast::Class& node, diag::Sink& sink) {
  source::SourceSpan span = span_of(node);
  if (!node.ranges.empty()) span.begin = node.ranges.front().first.span.begin;
  const auto refuse = [&](std::string message) -> diag::Diagnostic& {
    return sink.add(Code::AddressRange, span, std::move(message));
  };
  if (node.ranges.size() != 1 || !node.ranges.front().last) {
    refuse("`address` takes one range: the first and the last byte").help =
        "write it as in /proc/iomem, with 0x: `address 0x100000000-0x13fffffff`";
    return std::nullopt;
  }
  const ast::Range& range = node.ranges.front();
  const auto is_hexadecimal = [](const ast::Word& word) {
    return word.text.size() > 2 && word.text[0] == '0' && (word.text[1] == 'x');
  };
  if (!is_hexadecimal(range.first) || !is_hexadecimal(range.last)) {
    const auto prefixed = [&](const ast::Word& word) {
      return is_hexadecimal(word) ? std::string(word.text) : "0x" + std::string(word.text);
    };
    diag::Diagnostic& d = refuse("addresses are hexadecimal and start with 0x");
    const std::string text = fmt::format("{}-{}", prefixed(range.first), prefixed(range.last));
    const Number first = whole_number(prefixed(range.first));
    const Number last = whole_number(prefixed(range.last));
    if (first.fault == NumberFault::None && last.fault == NumberFault::None &&
        first.value <= last.value) {
      d.help = fmt::format("write `{}`", text);
      d.fixit = diag::FixIt{ast::join(range.first.span, range.last.span), text};
    }
    return std::nullopt;
  }
  const auto read = read_range(range, std::numeric_limits<std::uint64_t>::max(), sink);
  if (!read) return std::nullopt;
  return Addresses{read->first, read->last};
}

/// "0.0", "dax0.0" -> "dax0.0"
std::optional<std::string> read_dax(const ast::Word& word, diag::Sink& sink) {
  std::string_view numbers = word.text;
  if (numbers.substr(0, 3) == "dax") numbers.remove_prefix(3);
  const std::size_t point = std::min(numbers.find('.'), numbers.size());
  const bool good = point < numbers.size() &&
                    whole_number(numbers.substr(0, point)).fault == NumberFault::None &&
                    whole_number(numbers.substr(point + 1)).fault == NumberFault::None;
  if (good) return "dax" + std::string(numbers);
  sink.add(Code::ClassArgument, word.span, fmt::format("`{}` is not a dax device", word.text))
      .help = "a dax device has two numbers: `dax0.0`";
  return std::nullopt;
}

std::optional<std::string> read_driver(const ast::Class& node, diag::Sink& sink) {
  std::string_view name = node.argument.text;
  if (name.size() >= 2 && name.front() == '"') name = name.substr(1, name.size() - 2);
  if (!name.empty()) return std::string(name);
  sink.add(Code::ClassArgument, span_of(node), "`driver` needs the name of a driver").help =
      "write for example `driver kmem`; /proc/iomem shows it as `System RAM (kmem)`";
  return std::nullopt;
}

/// The words that are allowed in place of a class.
std::vector<std::string_view> known_words() {
  std::vector<std::string_view> words = names_of(kClasses);
  words.insert(words.end(), {"each", "except"});
  return words;
}

void report_class(const ast::Class& node, diag::Sink& sink) {
  const std::string name = in_lower_case(node.name.text);
  if (name == "each") {
    sink.add(Code::UnknownClass, node.name.span,
             "`each` is allowed only once, before the first class")
        .help = "write for example `each dimm hotplugged`";
    return;
  }
  diag::Diagnostic& d = sink.add(Code::UnknownClass, span_of(node),
                                 fmt::format("no class of memory named `{}`", node.name.text));
  const bool block = name == "memory" && !node.ranges.empty();  // as its directory is named
  const auto* const other =
      std::find_if(kForeignClasses.begin(), kForeignClasses.end(),
                   [&](const auto& entry) { return !block && entry.second == name; });
  if (block)
    replace_by(d, node.name, "block");
  else if (other != kForeignClasses.end() && other->first == "dax" && !node.ranges.empty())
    d.help =
        "such memory appears as dax devices, which have two numbers: write for example `dax0.0`";
  else if (other != kForeignClasses.end())
    replace_by(d, node.name, other->first);
  else
    suggest(d, node.name, known_words());
}

std::optional<Class> lower_class(const ast::Class& node, diag::Sink& sink) {
  const auto word = find_word(node.name, kClasses, sink);
  if (!word) {
    report_class(node, sink);
    return std::nullopt;
  }
  Class result{*word, span_of(node)};
  const auto with = [&](auto value) -> std::optional<Class> {
    if (!value) return std::nullopt;
    result.is = std::move(*value);
    return result;
  };
  switch (language::row_of(*word).takes) {
    case Takes::Nothing: return refuse_list(node, sink) ? std::optional(result) : std::nullopt;
    case Takes::NodeList: {
      if (node.ranges.empty()) return result;
      auto list = read_list<std::uint32_t>(node.ranges, sink);
      return list ? with(std::optional(NodeList{named<model::NodeId>(*list)})) : std::nullopt;
    }
    case Takes::DimmList: {
      auto list = read_list<std::uint32_t>(node.ranges, sink);
      return list ? with(std::optional(DimmList{std::move(*list)})) : std::nullopt;
    }
    case Takes::BlockList: {
      if (node.ranges.empty()) {
        sink.add(Code::ClassArgument, span_of(node), "`block` needs numbers").help =
            "write for example `block 32-47`, as in /sys/devices/system/memory/memory32";
        return std::nullopt;
      }
      auto list = read_list<std::uint64_t>(node.ranges, sink);
      return list ? with(std::optional(BlockList{named<model::BlockId>(*list)})) : std::nullopt;
    }
    case Takes::AddressRange: return with(read_address(node, sink));
    case Takes::DaxName: {
      if (!node.argument) return with(std::optional(DaxDevice{}));
      auto name = read_dax(node.argument, sink);
      return name ? with(std::optional(DaxDevice{std::move(*name)})) : std::nullopt;
    }
    case Takes::DriverName: {
      auto name = read_driver(node, sink);
      return name ? with(std::optional(DriverName{std::move(*name)})) : std::nullopt;
    }
  }
  return std::nullopt;
}

void report_bare_node(const Class& node, bool may_group, const source::SourceSpan& start,
                      diag::Sink& sink) {
  diag::Diagnostic& d = sink.add(Code::BareNode, node.span, "`node` needs a number");
  if (!may_group) {
    d.help = "write for example `node0`";
    d.fixit = diag::FixIt{node.span, "node0"};
    return;
  }
  d.help = "write `each node` for one group per node, or for example `node0` for one node";
  d.fixit = diag::FixIt{{start.file, start.begin, start.begin}, "each "};
}

/// All RAM is called "System RAM" in /proc/iomem: the word alone would be misread.
void require_dax(const std::vector<Class>& classes, diag::Sink& sink) {
  const auto alone = std::find_if(classes.begin(), classes.end(), [](const Class& one) {
    return is_word(one, ClassWord::SystemRam);
  });
  const bool dax = std::any_of(classes.begin(), classes.end(), [](const Class& one) {
    return std::holds_alternative<DaxDevice>(one.is);
  });
  if (alone == classes.end() || dax || sink.errors() >= syntax::kMaxErrors) return;
  diag::Diagnostic& d =
      sink.add(Code::SystemRamAlone, alone->span, "`system-ram` needs `dax` beside it");
  d.help =
      "write `dax system-ram`, or `dax0.0 system-ram` for one device; for all memory, write `all`";
  d.fixit = diag::FixIt{{alone->span.file, alone->span.begin, alone->span.begin}, "dax "};
}

/// The first class that can make groups decides: `each dimm node1`, `each node hotplugged`.
void choose_grouping(Selector& selector, const ast::Selector& node, diag::Sink& sink) {
  for (const Class& c : selector.classes)
    if (selector.each == Each::None) selector.each = language::row_of(word_of(c)).each;
  if (selector.each != Each::None) return;
  diag::Diagnostic& d =
      sink.add(Code::EachWithoutGroup, ast::join(node.each.span, span_of(node.classes)),
               "`each` needs a class to group by");
  std::vector<std::string_view> words;
  for (const language::ClassRow& row : language::kClassRows)
    if (row.each != Each::None) words.push_back(row.word);
  d.help = fmt::format("add {}, as in `each node hotplugged`", listed(words, "or"));
  d.fixit = diag::FixIt{{node.each.span.file, node.each.span.end, node.each.span.end}, " node"};
}

}  // namespace

std::optional<Selector> lower_selector(const ast::Selector& node, diag::Sink& sink) {
  const std::size_t errors = sink.errors();
  Selector result;
  result.span = span_of(node);
  if (node.each) require_lower_case(node.each, sink);
  if (node.except) require_lower_case(node.except, sink);
  const auto lower_all = [&](const std::vector<ast::Class>& from, std::vector<Class>& into) {
    for (const ast::Class& c : from) {
      if (sink.errors() >= syntax::kMaxErrors) return;
      if (auto lowered = lower_class(c, sink)) into.push_back(std::move(*lowered));
    }
  };
  lower_all(node.classes, result.classes);
  lower_all(node.exceptions, result.except);
  if (sink.errors() > errors) return std::nullopt;
  if (node.each) choose_grouping(result, node, sink);
  for (const Class& c : result.classes)
    if (is_word(c, ClassWord::Node) && result.each != Each::Node &&
        sink.errors() < syntax::kMaxErrors)
      report_bare_node(c, !node.each, result.span, sink);
  for (const Class& c : result.except)
    if (is_word(c, ClassWord::Node) && sink.errors() < syntax::kMaxErrors)
      report_bare_node(c, false, result.span, sink);
  require_dax(result.classes, sink);
  require_dax(result.except, sink);
  if (sink.errors() > errors) return std::nullopt;
  return result;
}

}  // namespace memonline::sema
