// SPDX-License-Identifier: LGPL-2.1-or-later
#include <algorithm>

#include <fmt/format.h>

#include "compiler/sema/checks.hpp"
#include "compiler/sema/class_sets.hpp"

namespace memonline::sema {

namespace {

using diag::Code;

/// The maximum number of earlier rules that are compared with later ones.
constexpr std::size_t kMaxEarlier = 128;

/// Nobody writes that many classes side by side; comparing each with each has its bounds too.
constexpr std::size_t kMaxClasses = 8;
bool is_readable(const Selector& selector) {
  return selector.classes.size() <= kMaxClasses && selector.except.size() <= kMaxClasses;
}

/// `earlier` selects all blocks that `later` selects.
bool takes_all(const Selector& earlier, const Selector& later) {
  if (!contains(earlier.classes, later.classes)) return false;
  return earlier.except.empty() ||
         (!later.except.empty() && contains(later.except, earlier.except));
}

std::string shortened(std::string_view selector) {
  constexpr std::size_t kMaxLength = 40;
  if (selector.size() <= kMaxLength) return std::string(selector);
  return std::string(selector.substr(0, kMaxLength)) + "...";
}

class Reach {
 public:
  Reach(const source::SourceSet& files, diag::Sink& sink) : files_(files), sink_(sink) {}

  void visit(const std::vector<Statement>& statements) {
    for (const Statement& statement : statements) {
      if (sink_.all().size() >= kMaxWarnings) return;
      if (const auto* rule = std::get_if<Rule>(&statement)) visit(*rule);
      if (const auto* when = std::get_if<When>(&statement)) {
        // A rule in a branch may not run: it takes nothing from those outside.
        const std::size_t outside = earlier_.size();
        visit(when->then);
        earlier_.resize(outside);
        visit(when->otherwise);
        earlier_.resize(outside);
      }
    }
  }

 private:
  void visit(const Rule& rule) {
    if (!is_readable(rule.selector) || is_empty(rule.selector)) return;
    for (const Rule* before : earlier_) {
      if (!takes_all(before->selector, rule.selector)) continue;
      sink_
          .add(Code::UnreachableRule, rule.selector.span,
               fmt::format(
                   "this rule selects no block: `{}` selects all of them first",
                   shortened(files_[before->selector.span.file].text_of(before->selector.span))))
          .labels.push_back({before->selector.span, "selected here"});
      return;
    }
    if (earlier_.size() < kMaxEarlier) earlier_.push_back(&rule);
  }

  bool is_empty(const Selector& selector) {
    for (std::size_t i = 0; i < selector.classes.size(); ++i)
      for (std::size_t j = i + 1; j < selector.classes.size(); ++j)
        if (disjoint(selector.classes[i], selector.classes[j])) {
          diag::Diagnostic& d =
              sink_.add(Code::EmptySelection, selector.classes[j].span,
                        "this rule selects no block: no block can be in both classes");
          d.labels.push_back({selector.classes[i].span, "the other class"});
          suggest_list(selector.classes, i, d);
          return true;
        }
    if (selector.except.empty() || !contains(selector.except, selector.classes)) return false;
    sink_.add(Code::EmptySelection, selector.span,
              "this rule selects no block: `except` leaves out all of them");
    return true;
  }

  /// `node1 node2`: the memory in any of them is one list.
  void suggest_list(const std::vector<Class>& classes, std::size_t first, diag::Diagnostic& d) {
    std::size_t end = first + 1;
    const bool is_list = std::holds_alternative<NodeList>(classes[first].is) ||
                         std::holds_alternative<DimmList>(classes[first].is) ||
                         std::holds_alternative<BlockList>(classes[first].is);
    while (end < classes.size() && classes[end].is.index() == classes[first].is.index()) ++end;
    if (!is_list || end == first + 1) {
      d.help =
          "several classes in a row select the memory that is in all of them; write one rule per "
          "class to select the memory in any of them";
      return;
    }
    const auto text_of = [&](const Class& one) {
      return std::string(files_[one.span.file].text_of(one.span));
    };
    std::string list = text_of(classes[first]);
    for (std::size_t i = first + 1; i < end; ++i) {
      const std::string text = text_of(classes[i]);
      list += "," + text.substr(std::min(text.find_first_of("0123456789"), text.size()));
    }
    d.help = fmt::format("write `{}` to select the memory of all of them", list);
    d.fixit = diag::FixIt{
        {classes[first].span.file, classes[first].span.begin, classes[end - 1].span.end}, list};
  }

  const source::SourceSet& files_;
  diag::Sink& sink_;
  std::vector<const Rule*> earlier_;
};

}  // namespace

void check_reach(const Policy& policy, const source::SourceSet& files, diag::Sink& sink) {
  diag::Sink found;
  Reach(files, found).visit(policy.statements);
  sink.append(found);
}

}  // namespace memonline::sema
