// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/syntax/bounds.hpp"

#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "compiler/base/overloaded.hpp"
#include "compiler/syntax/parse.hpp"

namespace memonline::syntax {

namespace {

using source::SourceSpan;

class Bounds {
 public:
  Bounds(std::size_t& statements, diag::Sink& sink) : count_(statements), sink_(sink) {}

  void visit(const std::vector<ast::Statement>& statements) {
    for (const ast::Statement& statement : statements) {
      if (sink_.errors() >= kMaxErrors || count_ > kMaxStatements) return;
      if (++count_ > kMaxStatements) {
        report(span_of_any(statement), "the policy", count_, "statements", kMaxStatements,
               "use lists, ranges, `each node` or `each dimm` instead of separate rules");
        return;
      }
      std::visit(overloaded{[&](const ast::Rule& rule) { visit(rule); },
                            [&](const ast::Limit& limit) { visit(limit.amount); },
                            [&](const ast::Setting& setting) {
                              word(setting.name);
                              word(setting.value);
                            },
                            [&](const ast::When& when) { visit(when); }},
                 statement);
    }
  }

 private:
  void visit(const ast::Rule& rule) {
    visit(rule.selector.classes);
    visit(rule.selector.exceptions);
    if (rule.shares.size() > kMaxShares)
      report(span_of(rule.shares[kMaxShares]), "this rule", rule.shares.size(), "shares",
             kMaxShares, "write fewer and larger shares, or one rule per part of the memory");
    for (const ast::Share& share : rule.shares) {
      visit(share.amount);
      word(share.target);
    }
  }

  void visit(const std::vector<ast::Class>& classes) {
    if (classes.size() > kMaxClasses)
      report(span_of(classes[kMaxClasses]), "this selector", classes.size(), "classes", kMaxClasses,
             "several classes in a row select the memory that is in all of them; use fewer");
    for (const ast::Class& one : classes) {
      word(one.name);
      word(one.argument);
      if (one.ranges.size() > kMaxRanges)
        report(one.ranges[kMaxRanges].first.span, "this list", one.ranges.size(), "ranges",
               kMaxRanges,
               "combine consecutive numbers into ranges such as `0-63`, or split the rule");
      for (const ast::Range& range : one.ranges) {
        word(range.first);
        word(range.last);
      }
    }
  }

  void visit(const ast::Amount& amount) {
    word(amount.number);
    word(amount.unit);
  }

  void visit(const ast::When& when) {
    for (const ast::Branch& branch : when.branches) {
      const auto& values = branch.condition.values;
      word(branch.condition.fact);
      if (values.size() > kMaxValues)
        report(span_of(values[kMaxValues]), "this condition", values.size(), "values", kMaxValues,
               "use patterns such as `PowerEdge*`, or one condition per part of the list");
      for (const std::vector<ast::Word>& value : values)
        for (const ast::Word& part : value) word(part);
      visit(branch.statements);
    }
  }

  void word(const ast::Word& word) {
    if (word.text.size() > kMaxWord)
      report(word.span, "this word", word.text.size(), "bytes", kMaxWord,
             "names of devices, drivers, vendors and products are shorter");
  }

  void report(const SourceSpan& span, std::string_view what, std::size_t has, std::string_view of,
              std::size_t most, std::string_view help) {
    if (sink_.errors() >= kMaxErrors) return;
    sink_
        .add(diag::Code::TooMuchOfOne, span,
             what == "the policy"
                 ? fmt::format("{} has more than {} {}", what, most, of)
                 : fmt::format("{} has {} {}: the limit is {}", what, has, of, most))
        .help = help;
  }

  static SourceSpan span_of_any(const ast::Statement& statement) {
    return std::visit(
        overloaded{[](const ast::When& when) { return span_of(when.branches.front().condition); },
                   [](const auto& node) { return span_of(node); }},
        statement);
  }

  std::size_t& count_;
  diag::Sink& sink_;
};

}  // namespace

bool check_bounds(const ast::File& file, std::size_t& statements, diag::Sink& sink) {
  const std::size_t before = sink.errors();
  Bounds(statements, sink).visit(file.statements);
  return sink.errors() == before;
}

}  // namespace memonline::syntax
