// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/plan/hotplug.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "compiler/base/overloaded.hpp"
#include "compiler/language/settings.hpp"
#include "compiler/language/targets.hpp"
#include "compiler/plan/setting_users.hpp"
#include "compiler/plan/sources.hpp"
#include "compiler/text/printable.hpp"

namespace memonline::plan {

using model::Era;
using sema::ClassWord;
using sema::Target;

namespace {

// The hot-added memory that a selector can match.
enum class Reach { None, Some, Every };

// A class that no device or node of this host can match does not apply to its hot-added memory.
bool can_match(const sema::Class& one, const model::Host& host) {
  const auto source = [&](Source where) { return can_come_from(host, where); };
  return std::visit(
      overloaded{
          [&](ClassWord simple) {
            if (simple == ClassWord::Cpuless) return may_have_cpuless_node(host);
            if (simple == ClassWord::Standby) return may_have_standby(host);
            if (simple == ClassWord::SystemRam) return source(Source::Dax);
            return simple != ClassWord::VirtioMem || source(Source::VirtioMem);
          },
          [&](const sema::NodeList& nodes) {
            return std::any_of(nodes.ranges.begin(), nodes.ranges.end(), [&](const auto& range) {
              return may_have_node(host, range.first, range.second);
            });
          },
          [&](const sema::DimmList&) { return source(Source::Dimm); },
          [&](const sema::DaxDevice&) { return source(Source::Dax); },
          [&](const sema::DriverName& driver) { return driver_may_add(host, driver.name); },
          [](const auto&) { return true; },
      },
      one.is);
}

Reach reach_of(const std::vector<sema::Class>& classes, const model::Host& host) {
  Reach reach = Reach::Every;
  for (const sema::Class& one : classes) {
    if (!can_match(one, host)) return Reach::None;
    const auto* simple = std::get_if<ClassWord>(&one.is);
    if (simple == nullptr) {
      reach = Reach::Some;
      continue;
    }
    switch (*simple) {
      case ClassWord::Boot: return Reach::None;
      case ClassWord::All:
      case ClassWord::Hotplugged:
      case ClassWord::Node: break;  // all new memory is hot-added, and on some node
      case ClassWord::Standby:
        if (!has_only_standby(host)) reach = Reach::Some;
        break;
      case ClassWord::Cpuless:
      case ClassWord::VirtioMem:
      case ClassWord::SystemRam:
      case ClassWord::Dimm:  // these have something that follows
      case ClassWord::Dax:
      case ClassWord::Driver:
      case ClassWord::Block:
      case ClassWord::Address: reach = Reach::Some; break;
    }
  }
  return reach;
}

Reach reach_of(const sema::Selector& selector, const model::Host& host) {
  const Reach all = reach_of(selector.classes, host);
  if (all == Reach::None || selector.except.empty()) return all;
  switch (reach_of(selector.except, host)) {
    case Reach::None: return all;
    case Reach::Some: return Reach::Some;
    case Reach::Every: return Reach::None;
  }
  return Reach::Some;
}

std::string_view word_of(Target target) { return name_in(language::kStates, target); }

// auto_online_blocks takes online_kernel and online_movable from 5.7 on; eras A and B, whose zone
// rules depend on the order of onlining, never do.
bool takes_zone_words(const model::Host& host) {
  return host.era == Era::D || (host.era == Era::C2 && host.facts.foll_pin == true);
}

// The hot-added memory of one rule and its target; without a rule, all other hot-added memory.
struct Portion {
  const sema::Rule* rule = nullptr;
  std::optional<Target> target;  ///< empty: several
  [[nodiscard]] bool kept() const { return target && !language::writes(*target); }
};

struct Lowering {
  const sema::FlatPolicy& policy;
  const source::SourceSet& files;
  const model::Host& host;
  bool nvidia = has_user(host, SettingUser::Kind::Nvidia);
  Target otherwise = without_memonline(host);  ///< of memory that memonline leaves alone

  HotplugPart by_service(const sema::Rule* rule, std::string why) const {
    HotplugPart part;
    part.by = Onliner::Service;
    part.why = std::move(why);
    if (rule != nullptr) part.rule = rule_ref(files, rule->span);
    const auto first = needs_kernel_first(host);
    if (first && can_correct(*first)) return corrected(std::move(part), *first);
    if (host.knobs.auto_online_blocks) part.knobs[model::Knob::AutoOnlineBlocks] = "offline";
    return part;
  }

  // Blocks that the kernel has just onlined in Movable can be offlined again; DLPAR ignores the
  // setting.
  bool can_correct(const SettingUser& user) const {
    if (!host.hot_remove || !host.knobs.auto_online_blocks) return false;
    return takes_zone_words(host) || user.kind == SettingUser::Kind::Dlpar;
  }

  HotplugPart corrected(HotplugPart part, const SettingUser& user) const {
    part.by = Onliner::Corrected;
    if (takes_zone_words(host)) part.knobs[model::Knob::AutoOnlineBlocks] = "online_movable";
    part.why += fmt::format("; the kernel onlines it first, because {}", user.needs);
    return part;
  }

  /// The rules that apply to new memory, up to one that selects all of it.
  std::vector<Portion> portions() const {
    std::vector<Portion> portions;
    for (const sema::Rule& rule : policy.rules) {
      const Reach reach = rule.only_present ? Reach::None : reach_of(rule.selector, host);
      if (reach == Reach::None) continue;
      portions.push_back({&rule, uniform_target(rule)});
      if (reach == Reach::Every) return portions;
    }
    if (!portions.empty()) portions.push_back({nullptr, Target::Keep});
    return portions;
  }

  // NVIDIA's driver decides for the host: `auto` leaves the zone to the kernel and its setting.
  bool gets(const Portion& portion, Target setting) const {
    if (portion.kept()) return nvidia || otherwise == setting;
    return portion.target == setting || (nvidia && portion.target == Target::Auto);
  }

  std::string why_not(const Portion& portion, const Portion& last) const {
    if (nvidia && portion.target)
      return fmt::format("the rule requests `{}`", word_of(*portion.target));
    if (last.rule != nullptr)
      return "the rule has another target for some hot-added memory, but the kernel's setting "
             "applies to all of it";
    if (otherwise == Target::Offline)
      return "the rule covers only some hot-added memory; the rest stays offline, as without "
             "memonline";
    return fmt::format(
        "the rule covers only some hot-added memory; the rest is onlined as without memonline "
        "(`{}`)",
        word_of(otherwise));
  }

  HotplugPart best() const {
    const std::vector<Portion> all = portions();
    HotplugPart part;
    part.by = Onliner::Kernel;
    if (all.empty()) {
      part.why = "no rule selects hot-added memory; the kernel's setting stays unchanged";
      return part;
    }
    const auto first = std::find_if(
        all.begin(), all.end(), [](const Portion& p) { return p.rule != nullptr && !p.kept(); });
    if (first == all.end()) {
      part.rule = rule_ref(files, all.front().rule->span);
      part.why = "the rule keeps hot-added memory as the kernel adds it";
      return part;
    }
    const Portion& last = all.back();
    if (!last.target)
      return by_service(
          last.rule,
          "the rule splits hot-added memory, but the kernel's setting applies to all of it");
    Target wanted = last.kept() ? otherwise : *last.target;
    if (nvidia) wanted = Target::Movable;
    for (const Portion& portion : all)
      if (!gets(portion, wanted)) return by_service(portion.rule, why_not(portion, last));
    const sema::Rule* rule = last.rule != nullptr && !last.kept() ? last.rule : first->rule;
    return by_kernel(rule, wanted);
  }

  HotplugPart by_kernel(const sema::Rule* rule, Target target) const {
    HotplugPart part;
    part.by = Onliner::Kernel;
    part.rule = rule_ref(files, rule->span);
    if (!host.knobs.auto_online_blocks)
      return by_service(rule, "this kernel has no auto_online_blocks");
    if ((target == Target::Movable || target == Target::Normal) && !takes_zone_words(host))
      return by_service(rule, fmt::format("auto_online_blocks of this kernel does not accept {}",
                                          word_of(target)));
    if (target == Target::Offline && has_user(host, SettingUser::Kind::Dlpar))
      return by_service(rule, "auto_online_blocks=offline does not keep DLPAR's memory offline");
    part.knobs[model::Knob::AutoOnlineBlocks] = word_of(target);
    part.why = fmt::format("auto_online_blocks={} does what the policy requires", word_of(target));
    if (nvidia && uniform_target(*rule) == Target::Auto)
      part.why = "NVIDIA's driver needs it, and `auto` leaves the zone to the kernel";
    if (policy.limits.empty() || target == Target::Normal || target == Target::Offline) return part;
    return limited(rule, target, part);
  }

  // The kernel's ratio bounds Movable by boot memory alone, so any zone that it selects keeps a
  // limit of the same ratio. `auto` leaves the choice to the kernel; `movable` does not.
  HotplugPart limited(const sema::Rule* rule, Target target, HotplugPart part) const {
    const sema::Limit& limit = policy.limits.front();
    const auto* times = std::get_if<sema::Limit::TimesNormal>(&limit.bound);
    const bool same = target == Target::Auto && !nvidia && policy.limits.size() == 1 &&
                      times != nullptr && times->thousandths % 10 == 0 && host.era == Era::D;
    if (!same) {
      HotplugPart service =
          by_service(rule, "the limit counts memory that the kernel's settings ignore");
      service.rule = rule_ref(files, limit.span);
      return service;
    }
    part.knobs[model::Knob::OnlinePolicy] = "auto-movable";
    part.knobs[model::Knob::AutoMovableRatio] = std::to_string(times->thousandths / 10);
    if (host.knobs.auto_movable_numa_aware)
      part.knobs[model::Knob::AutoMovableNumaAware] = limit.per_node ? "Y" : "N";
    part.why = fmt::format(
        "online_policy=auto-movable with a ratio of {}% keeps the limit, and `auto` leaves the "
        "rest to the kernel",
        times->thousandths / 10);
    return part;
  }
};

}  // namespace

std::optional<Target> uniform_target(const sema::Rule& rule) {
  const sema::Share& first = rule.shares.front();
  if (!first.amount) return first.target;
  const auto* percent = std::get_if<sema::Percent>(&*first.amount);
  if (percent != nullptr && percent->millionths == 100'000'000) return first.target;
  const bool same = std::all_of(rule.shares.begin(), rule.shares.end(),
                                [&](const sema::Share& s) { return s.target == first.target; });
  const bool rest = std::any_of(rule.shares.begin(), rule.shares.end(),
                                [](const sema::Share& s) { return s.place == sema::Place::Rest; });
  if (same && rest) return first.target;
  return std::nullopt;
}

RuleRef rule_ref(const source::SourceSet& files, const source::SourceSpan& span) {
  const source::SourceFile& file = files.at(span.file);
  const source::Place place = file.place(span.begin);
  const std::string_view text = file.text_of(span);
  return {file.label(), place.line, place.column,
          shortened(text.substr(0, text.find_first_of("\r\n")), kMaxRuleText)};
}

HotplugPart lower(const sema::FlatPolicy& policy, const source::SourceSet& files,
                  const model::Host& host, diag::Sink& sink) {
  const Lowering lowering{policy, files, host};
  HotplugPart part = lowering.best();
  if (policy.settings.is(language::Hotplug::Kernel) && part.by != Onliner::Kernel) {
    auto& d = sink.add(diag::Code::KernelCannotDoTheSame, policy.settings.span<language::Hotplug>(),
                       fmt::format("`set hotplug = kernel` is not possible: {}", part.why));
    if (!part.rule.path.empty())
      d.notes.push_back(fmt::format("{}:{}:{}: `{}`", part.rule.path, part.rule.line,
                                    part.rule.column, part.rule.text));
    d.help = "`set hotplug = best` lets the service online such memory";
  }
  if (policy.settings.is(language::Hotplug::Service) && part.by == Onliner::Kernel &&
      !part.rule.path.empty()) {
    part = lowering.by_service(nullptr, "`set hotplug = service`");
    part.rule = rule_ref(files, *policy.settings.span<language::Hotplug>());
  }
  const auto setting = part.knobs.find(model::Knob::AutoOnlineBlocks);
  if (lowering.nvidia && setting != part.knobs.end() && setting->second != "online_movable") {
    auto& d = sink.add(diag::Code::SettingBreaksGpu, std::nullopt,
                       fmt::format("auto_online_blocks={} would break the GPU: {}", setting->second,
                                   setting_users(host).front().needs));
    d.notes.push_back(part.why);
    d.help = host.hot_remove ? "use `hotplugged: movable`, or select less memory"
                             : "use `hotplugged: movable`: this kernel cannot offline memory";
  }
  return part;
}

HotplugPart defer_conflicting(HotplugPart lowered, const sema::FlatPolicy& policy,
                              const model::Host& host) {
  const std::map<model::Knob, std::string> movable{
      {model::Knob::AutoOnlineBlocks, "online_movable"}};
  if (!host.service || policy.settings.is(language::Hotplug::Kernel) ||
      lowered.by != Onliner::Kernel || lowered.knobs != movable || !setting_users(host).empty())
    return lowered;
  lowered.by = Onliner::Service;
  lowered.why =
      "auto_online_blocks=online_movable would do the same, but the service onlines each device "
      "from the top down, which is faster and equally safe";
  lowered.knobs[model::Knob::AutoOnlineBlocks] = "offline";
  return lowered;
}

}  // namespace memonline::plan
