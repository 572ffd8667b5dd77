// SPDX-License-Identifier: LGPL-2.1-or-later
// The promises, each as a function that returns what is wrong.
#include "tests/bounded/checks.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "compiler/sema/analyse.hpp"
#include "tests/bounded/oracle.hpp"
#include "tests/bounded/steps.hpp"
#include "tests/support/planning.hpp"

namespace memonline::bounded {

using Problem = std::optional<std::string>;
using model::Era;

namespace {

// One plan, with all that the promises are compared with.
struct Case {
  const Policy& policy;
  const BoundedHost& host;
  const Compilation& result;
  std::vector<Promise> promises;  // without limits
  std::string before;
  std::string after;
  std::vector<Event> events;
};

bool changes_nothing(const Case& one) { return one.events.empty(); }

// A block ends with the target that its share promises.
bool matches(char expected, char before, char after) {
  return expected == after || (expected == 'a' && before == '.' && after != '.');
}

// Each step names the share that requests its blocks.
Problem wrong_share(const Case& one) {
  for (const Event& event : one.events) {
    const std::string& text = one.result.plan->steps[event.step].rule.text;
    const Share* share = one.promises.at(event.block).share;
    if (share == nullptr || share->text() != text)
      return fmt::format("memory{} is written for `{}`, not for `{}`", event.block, text,
                         share == nullptr ? "no share" : share->text());
  }
  return std::nullopt;
}

Problem wrong_layout(const Case& one, const std::string& expected) {
  for (std::size_t i = 0; i < expected.size(); ++i)
    if (!matches(expected[i], one.before[i], one.after[i]))
      return fmt::format("memory{} becomes `{}`, expected `{}`: {}", i, one.after[i], expected[i],
                         expected);
  return std::nullopt;
}

std::string layout_of(const std::vector<Promise>& promises) {
  std::string layout;
  for (const Promise& promise : promises) layout += promise.after;
  return layout;
}

// Whether nothing is missing that the limit does not refuse, if the shares count online blocks in
// another order.
bool rests_by_counting(const Case& one) {
  constexpr unsigned kOrders = 6;  // of up to three shares
  for (unsigned counting = 1; counting < kOrders; ++counting)
    if (limited(one.host.blocks, promised(one.host.blocks, one.policy, counting),
                *one.policy.limit) == one.before)
      return true;
  return false;
}

// Whether the policy leads from some earlier state to the present one: some of the blocks that are
// online now were offline then. So blocks that a limit made normal count for their share.
bool has_history(const Case& one) {
  std::vector<std::size_t> online;
  for (const Block& block : one.host.blocks)
    if (block.before != '.' && !block.fixed) online.push_back(block.id);
  for (std::uint64_t chosen = 1; chosen < 1ULL << online.size(); ++chosen) {
    std::vector<Block> earlier = one.host.blocks;
    for (std::size_t k = 0; k < online.size(); ++k)
      if ((chosen >> k & 1) != 0) earlier[online[k]].before = '.';
    if (limited(earlier, promised(earlier, one.policy), *one.policy.limit) == one.before)
      return true;
  }
  return false;
}

// With a limit and without `auto` and `rezone`, the sentences of part 4 decide on each block. Where
// they collide with "a second plan has no steps", nothing is done.
Problem wrong_with_limit(const Case& one, Counts& counts) {
  const std::string expected = limited(one.host.blocks, one.promises, *one.policy.limit);
  Problem problem = wrong_layout(one, expected);
  if (!problem || !changes_nothing(one)) return problem;
  if (!rests_by_counting(one) && !has_history(one)) return problem;
  ++counts.resting;
  return std::nullopt;
}

// What holds with a limit in any case, also where the kernel's choice for `auto` or `rezone` decide
// which blocks it affects.
Problem limit_broken(const Case& one) {
  const bool either = one.policy.has(Target::Auto) && one.policy.has(Target::Movable);
  for (std::size_t i = 0; i < one.before.size(); ++i) {
    const Promise& promise = one.promises[i];
    const char before = one.before[i];
    const char after = one.after[i];
    const auto fails = [&](const char* why) { return fmt::format("memory{}: {}", i, why); };
    if (after == 'M' && before != 'M' &&
        !limit_holds(*one.policy.limit, one.host.blocks, one.after, one.host.blocks[i]))
      return fails("becomes Movable against the limit");
    if (before == '.' && promise.after == '.' && after != '.')
      return fails("becomes online, and no share requests it");
    if (before == '.' && promise.after == 'N' && after != 'N' && !(changes_nothing(one) && either))
      return fails("kernel memory that a share requests is missing");
    if (!one.policy.rezone && before != '.' && after != before)
      return fails("is moved, and `rezone` is `never`");
    if (!promise.selected && after != before) return fails("is changed, and no rule selects it");
  }
  return std::nullopt;
}

Problem wrong_shares(const Case& one, Counts& counts) {
  if (one.policy.limit == nullptr) {
    Problem problem = wrong_layout(one, layout_of(one.promises));
    return problem ? problem : wrong_share(one);
  }
  const bool exact =
      one.host.kernel.era >= Era::C1 && !one.policy.rezone && !one.policy.has(Target::Auto);
  if (exact)
    if (Problem problem = wrong_with_limit(one, counts)) return problem;
  return limit_broken(one);
}

// Blocks that are to stay as they are are not written, and those that are written change.
Problem needless_write(const Case& one) {
  for (const Event& event : one.events)
    if (one.before[event.block] == one.after[event.block])
      return fmt::format("memory{} is written, and is as before", event.block);
  return std::nullopt;
}

// Each block is either written or listed as unchanged; the outcome per node adds up.
Problem wrong_report(const Case& one) {
  std::vector<int> listed(one.before.size());
  for (const plan::Skipped& skipped : one.result.plan->skipped)
    for (const model::BlockId block : skipped.blocks) ++listed.at(block.value());
  for (const Event& event : one.events)
    if (!event.offline || one.after[event.block] == '.') ++listed.at(event.block);
  for (std::size_t i = 0; i < listed.size(); ++i)
    if (listed[i] != 1) return fmt::format("memory{} is reported {} times", i, listed[i]);
  std::map<std::pair<std::uint32_t, char>, std::uint64_t> bytes;
  for (std::size_t i = 0; i < one.after.size(); ++i)
    bytes[{one.host.blocks[i].node, one.after[i]}] += one.host.host.block_size.value();
  for (const plan::NodeOutcome& node : one.result.plan->outcome) {
    const std::uint32_t id = node.node ? node.node->value() : ~0U;
    if (node.normal.value() != bytes[{id, 'N'}] || node.movable.value() != bytes[{id, 'M'}])
      return fmt::format("the outcome of node{} does not add up", id);
  }
  return std::nullopt;
}

Problem first_of(const Case& one, Counts& counts) {
  const plan::Plan& plan = *one.result.plan;
  if (Problem problem = mistake_in(one.events, plan, one.host)) return problem;
  if (Problem problem = replay(plan, one.host.host, one.result.outcome)) return problem;
  if (Problem problem = needless_write(one)) return problem;
  if (Problem problem = wrong_shares(one, counts)) return problem;
  return wrong_report(one);
}

std::string evidence(const std::string& policy, const BoundedHost& host,
                     const Compilation& result) {
  std::string text = fmt::format("policy:\n{}host (era {}), the lines of a unit test:\n{}", policy,
                                 model::era_name(host.kernel.era), host.code());
  text += fmt::format("before: {}\n", host.layout());
  if (result.plan)
    text += fmt::format("after:  {}\nsteps:\n{}", test::layout_text(result.outcome),
                        test::steps_text(*result.plan));
  return text + fmt::format("diagnostics: {}\n", test::codes_text(result.diagnostics));
}

}  // namespace

Counts& Counts::operator+=(const Counts& other) {
  cases += other.cases;
  refused += other.refused;
  no_order += other.no_order;
  resting += other.resting;
  counterexamples += other.counterexamples;
  return *this;
}

CheckedPolicy::CheckedPolicy(const Policy& policy)
    : policy_(policy),
      text_(policy.text()),
      files_{source::SourceFile("t.mempolicy", text_)},
      checked_(sema::analyse(files_, diagnostics_)) {}

std::optional<std::string> CheckedPolicy::check(const BoundedHost& host, Counts& counts) const {
  ++counts.cases;
  if (!checked_ || policy_.is_wrong()) return check_refused(host, counts);
  const Compilation result = compile(*checked_, files_, host.host, {}, diagnostics_);
  const auto wrong = [&](const std::string& what) {
    ++counts.counterexamples;
    return what + "\n" + evidence(text_, host, result);
  };
  if (!result.plan) {
    if (host.kernel.era >= Era::C1 ||
        test::codes_text(result.diagnostics).find("ML0506") == std::string::npos)
      return wrong("no plan");
    ++counts.no_order;
    return std::nullopt;
  }
  const Case one{policy_,
                 host,
                 result,
                 promised(host.blocks, policy_),
                 host.layout(),
                 test::layout_text(result.outcome),
                 events_of(*result.plan, host)};
  if (const Problem problem = first_of(one, counts)) return wrong(*problem);
  // A plan without steps leaves the host as it is: the second plan is the first one.
  if (result.plan->steps.empty()) return std::nullopt;
  const Compilation again = compile(*checked_, files_, result.outcome, {}, diagnostics_);
  if (!again.plan) return wrong("no second plan");
  if (!again.plan->steps.empty())
    return wrong("the second plan has steps:\n" + test::steps_text(*again.plan));
  return std::nullopt;
}

std::optional<std::string> CheckedPolicy::check_refused(const BoundedHost& host,
                                                        Counts& counts) const {
  ++counts.refused;
  const Compilation result = compile(files_, host.host);
  if (checked_.has_value() != policy_.is_wrong() && !result.plan && result.diagnostics.has_errors())
    return std::nullopt;
  ++counts.counterexamples;
  return "a policy is refused, or should be\n" + evidence(text_, host, result);
}

}  // namespace memonline::bounded
