// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/plan/hotplug.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

namespace memonline::plan {

using model::Era;
using sema::SimpleClass;
using sema::Target;

namespace {

// What a selector can mean for memory yet to come.
enum class Reach { None, Some, Every };

Reach reach_of(const std::vector<sema::Class>& classes) {
  Reach reach = Reach::Every;
  for (const sema::Class& one : classes) {
    const auto* simple = std::get_if<SimpleClass>(&one.is);
    if (simple == nullptr) {
      reach = Reach::Some;
      continue;
    }
    switch (*simple) {
      case SimpleClass::Boot: return Reach::None;
      case SimpleClass::All:
      case SimpleClass::Hotplugged:
      case SimpleClass::Node: break;  // all new memory is hot-added, and on some node
      case SimpleClass::Cpuless:
      case SimpleClass::VirtioMem: reach = Reach::Some; break;
    }
  }
  return reach;
}

Reach reach_of(const sema::Selector& selector) {
  const Reach all = reach_of(selector.classes);
  if (all == Reach::None || selector.except.empty()) return all;
  switch (reach_of(selector.except)) {
    case Reach::None: return all;
    case Reach::Some: return Reach::Some;
    case Reach::Every: return Reach::None;
  }
  return Reach::Some;
}

const char* word_of(Target target) {
  switch (target) {
    case Target::Movable: return "online_movable";
    case Target::Normal: return "online_kernel";
    case Target::Auto: return "online";
    case Target::Offline: return "offline";
    case Target::Keep: return "";
  }
  return "";
}

// auto_online_blocks takes online_kernel and online_movable from 5.7 on; eras A and B, whose zone
// rules depend on the order of onlining, never do.
bool takes_zone_words(const model::Host& host) {
  return host.era == Era::D || (host.era == Era::C2 && host.facts.foll_pin == true);
}

bool waits_for_each_block(const model::Host& host) {
  const bool virtio_mem = std::any_of(
      host.devices.begin(), host.devices.end(),
      [](const model::Device& device) { return device.kind == model::Device::Kind::VirtioMem; });
  return virtio_mem || host.virtualization == "microsoft" || host.virtualization == "xen";
}

struct Lowering {
  const sema::FlatPolicy& policy;
  const source::SourceSet& files;
  const model::Host& host;

  HotplugPart by_service(const sema::Rule* rule, std::string why) const {
    HotplugPart part;
    part.by = "service";
    part.why = std::move(why);
    if (rule != nullptr) part.rule = rule_ref(files, rule->span);
    if (host.knobs.auto_online_blocks) part.knobs["auto_online_blocks"] = "offline";
    return part;
  }

  HotplugPart best() const {
    const sema::Rule* universal = nullptr;
    std::vector<std::pair<const sema::Rule*, std::optional<Target>>> partial;
    for (const sema::Rule& rule : policy.rules) {
      const Reach reach = rule.only_present ? Reach::None : reach_of(rule.selector);
      if (reach == Reach::None) continue;
      if (reach == Reach::Every) {
        universal = &rule;
        break;
      }
      partial.emplace_back(&rule, uniform_target(rule));
    }
    if (universal == nullptr && partial.empty()) {
      HotplugPart part;
      part.by = "kernel";
      part.why = "no rule selects memory that is yet to come; the kernel's own setting stands";
      return part;
    }
    const std::optional<Target> target =
        universal != nullptr ? uniform_target(*universal) : std::optional(Target::Keep);
    if (!target)
      return by_service(
          universal,
          "the rule shares new memory out, and the kernel's switches treat all of it alike");
    for (const auto& [rule, own] : partial)
      if (own != target)
        return by_service(rule,
                          "the rule treats some new memory differently, and the kernel's switches "
                          "treat all of it alike");
    return by_kernel(universal != nullptr ? universal : partial.front().first, *target);
  }

  HotplugPart by_kernel(const sema::Rule* rule, Target target) const {
    HotplugPart part;
    part.by = "kernel";
    part.rule = rule_ref(files, rule->span);
    if (target == Target::Keep) {
      part.why = "the rule keeps new memory as the kernel brings it";
      return part;
    }
    if (!host.knobs.auto_online_blocks)
      return by_service(rule, "this kernel has no auto_online_blocks");
    if ((target == Target::Movable || target == Target::Normal) && !takes_zone_words(host))
      return by_service(
          rule, fmt::format("auto_online_blocks of this kernel does not take {}", word_of(target)));
    part.knobs["auto_online_blocks"] = word_of(target);
    part.why = fmt::format("auto_online_blocks={} means the same", word_of(target));
    if (policy.limits.empty() || target == Target::Normal || target == Target::Offline) return part;
    return limited(rule, target, part);
  }

  // The kernel's ratio bounds Movable by boot memory alone, so whatever it picks keeps a limit of
  // the same ratio. `auto` leaves the pick to the kernel; `movable` does not.
  HotplugPart limited(const sema::Rule* rule, Target target, HotplugPart part) const {
    const sema::Limit& limit = policy.limits.front();
    const auto* times = std::get_if<sema::Limit::TimesNormal>(&limit.bound);
    const bool same = target == Target::Auto && policy.limits.size() == 1 && times != nullptr &&
                      times->thousandths % 10 == 0 && host.era == Era::D;
    if (!same) {
      HotplugPart service = by_service(rule, "the limit counts what the kernel's switches do not");
      service.rule = rule_ref(files, limit.span);
      return service;
    }
    part.knobs["online_policy"] = "auto-movable";
    part.knobs["auto_movable_ratio"] = std::to_string(times->thousandths / 10);
    if (host.knobs.auto_movable_numa_aware)
      part.knobs["auto_movable_numa_aware"] = limit.per_node ? "Y" : "N";
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
  std::string text(file.text_of(span));
  const auto line_end = text.find_first_of("\r\n");
  if (line_end != std::string::npos) text.resize(line_end);
  return {file.label(), place.line, place.column, text};
}

HotplugPart lower(const sema::FlatPolicy& policy, const source::SourceSet& files,
                  const model::Host& host, diag::Sink& sink) {
  const Lowering lowering{policy, files, host};
  HotplugPart part = lowering.best();
  if (policy.hotplug == sema::Hotplug::Kernel && part.by != "kernel") {
    auto& d = sink.add(diag::Code::KernelCannotDoTheSame, policy.hotplug_span,
                       fmt::format("`hotplug = kernel` cannot be kept: {}", part.why));
    if (!part.rule.path.empty())
      d.notes.push_back(fmt::format("{}:{}:{}: `{}`", part.rule.path, part.rule.line,
                                    part.rule.column, part.rule.text));
    d.help = "`set hotplug = best` leaves such memory to the service";
  }
  if (policy.hotplug == sema::Hotplug::Service && part.by == "kernel" && !part.rule.path.empty()) {
    part = lowering.by_service(nullptr, "`set hotplug = service`");
    part.rule = rule_ref(files, *policy.hotplug_span);
  }
  return part;
}

HotplugPart give_way(HotplugPart lowered, const sema::FlatPolicy& policy, const model::Host& host) {
  const std::map<std::string, std::string> movable{{"auto_online_blocks", "online_movable"}};
  if (!host.service || policy.hotplug == sema::Hotplug::Kernel || lowered.knobs != movable ||
      waits_for_each_block(host))
    return lowered;
  lowered.by = "service";
  lowered.why =
      "auto_online_blocks=online_movable means the same, and gives way to the service: from the "
      "top of a device downwards it is faster, and as safe";
  lowered.knobs["auto_online_blocks"] = "offline";
  return lowered;
}

}  // namespace memonline::plan
