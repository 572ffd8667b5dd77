// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/plan/verdict.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "compiler/language/targets.hpp"
#include "compiler/plan/agents.hpp"
#include "compiler/plan/allocate.hpp"
#include "compiler/plan/drift.hpp"
#include "compiler/text/printable.hpp"

namespace memonline::plan {

using model::BlockRun;
using model::State;
using Kind = Remaining::Kind;
using language::Target;

namespace {

bool wants(const Remaining& one, Target target) {
  return one.wanted == name_in(language::kTargets, target);
}

/// The keys of kernel parameters that place boot memory.
constexpr std::array<std::string_view, 3> kSplitKeys{"kernelcore", "movablecore", "movable_node"};
constexpr std::array<std::string_view, 1> kStateKeys{"memhp_default_state"};

template <class Keys>
bool sets_one_of(const Boot& boot, const Keys& keys) {
  return std::any_of(boot.set.begin(), boot.set.end(), [&](const std::string& word) {
    const std::string_view key = std::string_view(word).substr(0, word.find('='));
    return std::find(keys.begin(), keys.end(), key) != keys.end();
  });
}

/// Parameters that the boot loader has, but not the command line of this boot.
std::vector<std::string> waiting_words(const model::Host& host) {
  std::vector<std::string> words;
  for (const std::string& word : host.own_parameters)
    if (std::find(host.command_line.begin(), host.command_line.end(), word) ==
        host.command_line.end())
      words.push_back(word);
  return words;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

bool has(const Judgement& judgement, Kind kind) {
  return std::any_of(judgement.remaining.begin(), judgement.remaining.end(),
                     [&](const Remaining& one) { return one.kind == kind; });
}

/// The verdict on what remains; `otherwise` where nothing does.
void conclude(Judgement& judgement, Verdict otherwise) {
  const bool beyond_reboot =
      std::any_of(judgement.remaining.begin(), judgement.remaining.end(), [](const Remaining& one) {
        return (one.kind == Kind::Memory || one.kind == Kind::Limit) && one.needs != "reboot";
      });
  const bool reboot = has(judgement, Kind::Boot);
  judgement.pending = beyond_reboot ? Judgement::Pending::Changes
                      : reboot      ? Judgement::Pending::Reboot
                                    : Judgement::Pending::Nothing;
  if (has(judgement, Kind::Memory) || has(judgement, Kind::Limit))
    judgement.verdict = Verdict::Drift;
  else
    judgement.verdict = reboot ? Verdict::RebootPending : otherwise;
}

class Judge {
 public:
  Judge(const model::Host& host, const Plan& plan, Limits limits)
      : host_(host), plan_(plan), limits_(limits) {
    for (const PlanDiagnostic& d : plan_.diagnostics)
      if (!d.help.empty()) help_.emplace(std::tuple(d.path, d.line, d.column), &d.help);
  }

  Judgement judge() && {
    for (const Skipped& skipped : plan_.skipped)
      if (!skipped.rule.path.empty()) blocks_of(skipped);
    limit();
    missing_facts();
    hotplug();
    boot();
    decide();
    return std::move(judgement_);
  }

 private:
  void blocks_of(const Skipped& skipped) {
    visit_runs(host_, skipped.blocks,
               [&](const BlockRun& run, model::BlockId first, model::BlockId end) {
                 // No share can use blocks that are being offlined.
                 if (!skipped.unknown.empty() || run.state == State::GoingOffline)
                   add(Kind::Unknown, skipped, run, first, end);
                 else if (differs(run, skipped.wanted))
                   add(Kind::Memory, skipped, run, first, end);
               });
  }

  void add(Kind kind, const Skipped& skipped, const BlockRun& run, model::BlockId first,
           model::BlockId end) {
    Remaining one;
    one.kind = kind;
    one.wanted = skipped.wanted;
    one.rule = skipped.rule;
    one.why = skipped.reason;
    if (kind == Kind::Unknown)
      unknown(run, skipped, one);
    else
      differing(run, skipped.blocker, one);
    const RuleRef& rule = one.rule;
    const auto [same, is_new] =
        index_.emplace(std::tuple(one.kind, one.wanted, one.why, one.needs,
                                  std::tuple(rule.path, rule.line, rule.column, rule.text)),
                       judgement_.remaining.size());
    Remaining& into = is_new ? judgement_.remaining.emplace_back(std::move(one))
                             : judgement_.remaining[same->second];
    into.bytes += host_.block_size * (end - first);
    if (!into.blocks.empty() && into.blocks.back().last + 1 == first)
      into.blocks.back().last = first + (end - first - 1);
    else
      into.blocks.push_back({first, first + (end - first - 1)});
  }

  void unknown(const BlockRun& run, const Skipped& skipped, Remaining& one) const {
    if (run.state == State::GoingOffline) {
      one.needs = "later";
      one.help = "plan again when it is offline";
      return;
    }
    one.needs = "root";
    const diag::Code code = skipped.unknown == kUnknownState  ? diag::Code::StateUnknown
                            : skipped.unknown == kUnknownZone ? diag::Code::ZoneUnknown
                                                              : diag::Code::HostDoesNotTell;
    for (const PlanDiagnostic& d : plan_.diagnostics)
      if (d.code == diag::name_of(code)) one.help = d.help;
  }

  void differing(const BlockRun& run, Blocker blocker, Remaining& one) const {
    const model::Device& device = host_.devices.at(run.device);
    const bool boot = device.origin == model::Origin::Boot;
    const bool dimm = device.kind == model::Device::Kind::Dimm;
    const bool at_boot = (boot && sets_one_of(plan_.boot, kSplitKeys)) ||
                         (dimm && sets_one_of(plan_.boot, kStateKeys));
    if (run.state == State::Online && wants(one, Target::Movable) && at_boot)
      one.needs = "reboot";
    else if (blocker == Blocker::RezoneNever)
      one.needs = "rezone";
    if (one.needs == "rezone")
      one.help = rezone_help(wants(one, Target::Offline));
    else if (one.needs == "reboot")
      one.help = fmt::format("booting with `{}` makes as much of it Movable as the kernel allows",
                             joined(plan_.boot.set));
    else if (blocker != Blocker::CannotOffline)
      one.help = help_at(one.rule);
  }

  [[nodiscard]] std::string rezone_help(bool offline) const {
    if (!offline) return "`set rezone = allowed` lets memonline offline and re-online such blocks";
    return fmt::format("`set rezone = allowed`{} lets memonline offline such blocks",
                       limits_ == Limits::Written ? " without a `limit`" : "");
  }

  /// The remedy of the diagnostic at the same location.
  [[nodiscard]] std::string help_at(const RuleRef& rule) const {
    const auto at = help_.find(std::tuple(rule.path, rule.line, rule.column));
    return at == help_.end() ? std::string() : *at->second;
  }

  void limit() {
    const std::string code = diag::name_of(diag::Code::LimitExceededAlready);
    for (const PlanDiagnostic& d : plan_.diagnostics) {
      if (d.code != code) continue;
      Remaining one;
      one.kind = Kind::Limit;
      one.why = d.message;
      one.help = d.help;
      one.rule = {d.path, d.line, d.column, {}};
      judgement_.remaining.push_back(std::move(one));
    }
  }

  /// Conditions on facts that the host does not provide leave rules out.
  void missing_facts() {
    for (const PlanDiagnostic& d : plan_.diagnostics) {
      if (d.code != diag::name_of(diag::Code::FactUnknown)) continue;
      Remaining one;
      one.kind = Kind::Unknown;
      one.why = d.message;
      one.needs = "root";
      one.help = d.help;
      one.rule = {d.path, d.line, d.column, {}};
      judgement_.remaining.push_back(std::move(one));
    }
  }

  /// The kernel's setting conflicts with the policy, and no step changes it.
  void hotplug() {
    const auto setting =
        std::find_if(plan_.agents.begin(), plan_.agents.end(), [](const CompetingAgent& agent) {
          return agent.kind == CompetingAgent::Kind::KernelSetting && competes(agent) &&
                 !agent.settled;
        });
    if (setting == plan_.agents.end()) return;
    Remaining one;
    one.kind = Kind::Hotplug;
    one.why = setting->does;
    one.needs = plan_.hotplug.by != Onliner::Kernel && !host_.service ? "service" : "";
    one.help = one.needs.empty()
                   ? setting->remedy
                   : "start memonlined, which onlines hot-added memory as the policy requires";
    one.rule = plan_.hotplug.rule;
    judgement_.remaining.push_back(std::move(one));
  }

  void boot() {
    const std::vector<std::string> waiting = waiting_words(host_);
    if (!plan_.boot.reboot_required && waiting.empty()) return;
    Remaining one;
    one.kind = Kind::Boot;
    one.needs = "reboot";
    std::vector<std::string> set;
    for (const std::string& word : plan_.boot.set)
      if (std::find(waiting.begin(), waiting.end(), word) == waiting.end()) set.push_back(word);
    const auto say = [&](std::string_view what, const std::vector<std::string>& words) {
      if (!words.empty())
        one.why += fmt::format("{}{} `{}`", one.why.empty() ? "" : "; ", what, joined(words));
    };
    say("the boot loader has", waiting);
    say("kernel parameters to set:", set);
    say("kernel parameters to remove:", plan_.boot.remove);
    one.help = set.empty() && plan_.boot.remove.empty()
                   ? "reboot"
                   : "`memonline boot apply` writes them for the next boot";
    judgement_.remaining.push_back(std::move(one));
  }

  void decide() {
    const Judged judged = judged_blocks(plan_);
    const bool any = judged.selected > judged.unknown || limits_ == Limits::Written;
    conclude(judgement_, !any                             ? Verdict::NothingJudged
                         : has(judgement_, Kind::Unknown) ? Verdict::PartlyJudged
                                                          : Verdict::AsDesired);
    if (plan_.steps.empty()) return;
    judgement_.verdict = Verdict::Drift;
    judgement_.pending = Judgement::Pending::Changes;
  }

  const model::Host& host_;
  const Plan& plan_;
  Limits limits_;
  Judgement judgement_;
  /// Where each of what remains of blocks is in `judgement_`.
  using Where = std::tuple<std::string, std::uint32_t, std::uint32_t, std::string>;
  std::map<std::tuple<Kind, std::string, std::string, std::string, Where>, std::size_t> index_;
  /// The first advice at each place.
  std::map<std::tuple<std::string, std::uint32_t, std::uint32_t>, const std::string*> help_;
};

model::Bytes bytes_of(const Judgement& judgement, Kind kind) {
  model::Bytes bytes;
  for (const Remaining& one : judgement.remaining)
    if (one.kind == kind) bytes += one.bytes;
  return bytes;
}

/// "memory16..23, memory40 and 3 more ranges".
std::string ranges_text(const std::vector<model::WriteRun>& blocks) {
  constexpr std::size_t kMax = 3;
  std::string text;
  for (std::size_t i = 0; i < std::min(kMax, blocks.size()); ++i)
    text += (i == 0 ? "" : ", ") + model::range_name(blocks[i].first, blocks[i].last);
  if (blocks.size() <= kMax) return text;
  const std::size_t more = blocks.size() - kMax;
  return text + fmt::format(" and {} more range{}", more, more == 1 ? "" : "s");
}

std::string line_of(const Remaining& one) {
  std::string text;
  switch (one.kind) {
    case Kind::Memory:
      text =
          fmt::format("{} ({}) should be {}: {}", ranges_text(one.blocks), model::human(one.bytes),
                      wants(one, Target::Auto) ? "online" : one.wanted, one.why);
      break;
    case Kind::Unknown:
      text = one.blocks.empty() ? fmt::format("not judged: {}", one.why)
                                : fmt::format("{} ({}): not judged: {}", ranges_text(one.blocks),
                                              model::human(one.bytes), one.why);
      break;
    case Kind::Limit: text = fmt::format("limit: {}", one.why); break;
    case Kind::Boot: text = fmt::format("next boot: {}", one.why); break;
    // Why is in the line of the agent.
    case Kind::Hotplug: return printable(fmt::format("hot-added memory: {}", one.help));
  }
  if (!one.help.empty()) text += fmt::format("; help: {}", one.help);
  return printable(text);
}

}  // namespace

Judgement judge(const model::Host& host, const Plan& plan, Limits limits) {
  return Judge(host, plan, limits).judge();
}

Judgement when_done(Judgement judgement) {
  conclude(judgement, judgement.verdict == Verdict::NothingJudged ? Verdict::NothingJudged
                      : has(judgement, Kind::Unknown)             ? Verdict::PartlyJudged
                                                                  : Verdict::AsDesired);
  return judgement;
}

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::NothingJudged: return "nothing-judged";
    case Verdict::Drift: return "drift";
    case Verdict::RebootPending: return "reboot-pending";
    case Verdict::PartlyJudged: return "partly-judged";
    case Verdict::AsDesired: return "as-desired";
  }
  return "nothing-judged";
}

std::string_view remaining_kind_name(Kind kind) {
  switch (kind) {
    case Kind::Memory: return "memory";
    case Kind::Limit: return "limit";
    case Kind::Boot: return "boot";
    case Kind::Hotplug: return "hotplug";
    case Kind::Unknown: return "unknown";
  }
  return "memory";
}

std::string verdict_line(const Plan& plan) {
  const Judgement& judgement = plan.judgement;
  if (plan.policy.empty()) return "nothing to do: all requested memory is already offline";
  switch (judgement.verdict) {
    case Verdict::NothingJudged:
      return has(judgement, Kind::Unknown)
                 ? "nothing can be done now: this host lacks the information that the policy needs"
                 : "nothing to do: no rule of the policy selects a block of this host";
    case Verdict::RebootPending: return "nothing can be done now: the policy needs a reboot";
    case Verdict::Drift: {
      const model::Bytes bytes = bytes_of(judgement, Kind::Memory);
      if (bytes == model::Bytes(0))
        return "nothing can be done now: a limit of the policy is exceeded";
      return fmt::format(
          "nothing can be done now: {} differs from the policy, and no step corrects it",
          model::human(bytes));
    }
    case Verdict::PartlyJudged:
      return "nothing can be done now: all memory that can be judged is as the policy says";
    case Verdict::AsDesired: break;
  }
  if (has(judgement, Kind::Hotplug))
    return "nothing can be done now: all memory is as the policy says, but hot-added memory will "
           "not be";
  return "nothing to do: everything is as the policy says";
}

std::vector<std::string> remaining_lines(const Judgement& judgement) {
  std::vector<std::string> lines;
  for (const Remaining& one : judgement.remaining) lines.push_back(line_of(one));
  return lines;
}

}  // namespace memonline::plan
