// SPDX-License-Identifier: LGPL-2.1-or-later
// The knowledge about a fact from the conditions around a `when`. Numbers are an interval, words a
// list of those still possible or of those excluded. Kernel versions and patterns are ignored: they
// prove too little. Hosts that do not provide a fact need no special case: they take every `else`.
#include <algorithm>
#include <array>
#include <limits>

#include <fmt/format.h>

#include "compiler/language/conditions.hpp"
#include "compiler/sema/checks.hpp"
#include "compiler/sema/facts.hpp"

namespace memonline::sema {

namespace {

using diag::Code;

constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();

/// The knowledge about one fact.
struct Knowledge {
  std::uint64_t low = 0;  ///< memory, nodes
  std::uint64_t high = kMax;
  std::optional<std::vector<std::string>> possible;  ///< words: one of these
  std::vector<std::string> excluded;                 ///< words: none of these
};
using AllKnowledge = std::array<Knowledge, language::kFacts.size()>;

enum class Verdict : std::uint8_t { Open, Always, Never };

/// The maximum number of words per fact. Further conditions are ignored: comparing each value with
/// all previous ones would cost too much.
constexpr std::size_t kMaxWords = 256;

bool is_number(Fact fact) { return fact == Fact::Memory || fact == Fact::Nodes; }
bool is_plain_word(const FactValue& value) {
  return value.text.find_first_of("*?") == std::string::npos;
}

struct Interval {
  std::uint64_t low;
  std::uint64_t high;
  [[nodiscard]] bool empty() const { return low > high; }
};

/// The numbers for which an ordered test, or `is` with one value, holds.
Interval holding(Test test, std::uint64_t value) {
  switch (test) {
    case Test::Less: return value == 0 ? Interval{1, 0} : Interval{0, value - 1};
    case Test::LessEqual: return {0, value};
    case Test::Greater: return value == kMax ? Interval{1, 0} : Interval{value + 1, kMax};
    case Test::GreaterEqual: return {value, kMax};
    case Test::Is:
    case Test::IsNot: return {value, value};
  }
  return {value, value};
}

Verdict judge_number(const When& when, const Knowledge& known) {
  const bool negated = when.test == Test::IsNot;
  bool all = false;
  bool none = true;
  for (const FactValue& value : when.values) {
    const Interval in = holding(when.test, value.number);
    all = all || (!in.empty() && in.low <= known.low && known.high <= in.high);
    none = none && (in.empty() || in.high < known.low || known.high < in.low);
  }
  if (all) return negated ? Verdict::Never : Verdict::Always;
  if (none) return negated ? Verdict::Always : Verdict::Never;
  return Verdict::Open;
}

Verdict judge_word(const When& when, const Knowledge& known) {
  const auto matched = [&](const std::string& word) {
    return std::any_of(when.values.begin(), when.values.end(),
                       [&](const FactValue& value) { return matches_pattern(word, value.text); });
  };
  const bool negated = when.test == Test::IsNot;
  bool all = false;
  bool none = false;
  if (known.possible) {
    all = std::all_of(known.possible->begin(), known.possible->end(), matched);
    none = std::none_of(known.possible->begin(), known.possible->end(), matched);
  } else {
    none = std::all_of(when.values.begin(), when.values.end(), [&](const FactValue& value) {
      return std::find(known.excluded.begin(), known.excluded.end(), value.text) !=
             known.excluded.end();
    });
  }
  if (all) return negated ? Verdict::Never : Verdict::Always;
  if (none) return negated ? Verdict::Always : Verdict::Never;
  return Verdict::Open;
}

/// The knowledge where the condition is true (`holds`), or where it is not.
Knowledge learn(const When& when, Knowledge known, bool holds) {
  if (is_number(when.fact)) {
    const bool ordered = when.test != Test::Is && when.test != Test::IsNot;
    if (when.values.size() != 1 || (!ordered && holds == (when.test == Test::IsNot))) return known;
    Interval in = holding(when.test, when.values[0].number);
    if (in.empty()) return known;
    if (!holds && ordered) in = in.low == 0 ? Interval{in.high + 1, kMax} : Interval{0, in.low - 1};
    known.low = std::max(known.low, in.low);
    known.high = std::min(known.high, in.high);
    return known;
  }
  if (when.values.size() + known.excluded.size() > kMaxWords) return known;
  if (!std::all_of(when.values.begin(), when.values.end(), is_plain_word)) return known;
  if (holds == (when.test == Test::Is)) {
    std::vector<std::string> words;
    for (const FactValue& value : when.values)
      if (!known.possible || std::find(known.possible->begin(), known.possible->end(),
                                       value.text) != known.possible->end())
        words.push_back(value.text);
    known.possible = std::move(words);
    return known;
  }
  for (const FactValue& value : when.values) {
    known.excluded.push_back(value.text);
    if (known.possible) std::erase(*known.possible, value.text);
  }
  return known;
}

class Conditions {
 public:
  explicit Conditions(diag::Sink& sink) : sink_(sink) {
    known_[static_cast<std::size_t>(Fact::Nodes)].low = 1;  // a machine has a node
  }

  void visit(const std::vector<Statement>& statements) {
    for (const Statement& statement : statements)
      if (const auto* when = std::get_if<When>(&statement)) visit(*when);
  }

 private:
  void visit(const When& when) {
    if (sink_.all().size() >= kMaxWarnings) return;
    if (when.fact == Fact::Kernel) {
      visit(when.then);
      visit(when.otherwise);
      return;
    }
    Knowledge& known = known_[static_cast<std::size_t>(when.fact)];
    const Verdict verdict =
        is_number(when.fact) ? judge_number(when, known) : judge_word(when, known);
    if (verdict != Verdict::Open) {
      const bool always = verdict == Verdict::Always;
      sink_.add(
          Code::ConditionWithoutChoice, when.span,
          always ? "this condition is always true here" : "this condition is never true here");
      // Diagnostics in the branch that is never taken would only repeat this one.
      visit(always ? when.then : when.otherwise);
      return;
    }
    const Knowledge before = known;
    known = learn(when, before, true);
    visit(when.then);
    known = learn(when, before, false);
    visit(when.otherwise);
    known = before;
  }

  diag::Sink& sink_;
  AllKnowledge known_;
};

}  // namespace

void check_conditions(const Policy& policy, const source::SourceSet&, diag::Sink& sink) {
  diag::Sink found;
  Conditions(found).visit(policy.statements);
  sink.append(found);
}

}  // namespace memonline::sema
