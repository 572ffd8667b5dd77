// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/plan/agents.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "compiler/model/knob.hpp"
#include "compiler/plan/default_state.hpp"
#include "compiler/text/printable.hpp"

namespace memonline::plan {

using diag::Code;
using model::OnliningAgent;
using Kind = CompetingAgent::Kind;

namespace {

constexpr model::Knob kSetting = model::Knob::AutoOnlineBlocks;

/// "in Movable", "in a kernel zone"; for a state that does not online: empty.
std::string zone_of_state(std::string_view state) {
  if (state == "online_movable") return "in Movable";
  if (state == "online_kernel") return "in a kernel zone";
  if (state == "online" || state == "1") return "in the zone that the kernel picks";
  return {};
}

bool is_offline(std::string_view state) { return state == "offline" || state == "0"; }

std::string udev_rule_does(const OnliningAgent& agent) {
  if (agent.writes_setting) {
    if (agent.states.size() == 1)
      return fmt::format("udev sets auto_online_blocks to `{}`", printable(agent.states[0]));
    return "udev sets auto_online_blocks";
  }
  std::string zones;
  bool offlines = false;
  for (const std::string& state : agent.states) {
    const std::string zone = zone_of_state(state);
    if (zone.empty() && !is_offline(state))
      return fmt::format("udev writes `{}` into the state of new memory", printable(state));
    offlines = offlines || zone.empty();
    if (!zone.empty()) zones += (zones.empty() ? "" : ", or ") + zone;
  }
  if (agent.states.empty()) return "udev writes the state of new memory";
  if (zones.empty()) return "udev offlines new memory";
  return fmt::format("udev onlines new memory{} {}{}",
                     agent.states.size() == 1 && zones[3] == 't' ? "," : "", zones,
                     offlines ? ", or offlines it" : "");
}

std::string udev_program_does(const OnliningAgent& agent) {
  if (agent.certain) return "udev runs a program that writes the state of memory blocks";
  return fmt::format("udev starts `{}`, which may online memory", printable(agent.program));
}

std::string udev_remedy(const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  if (path.starts_with("/etc/")) return "remove this assignment from the file";
  return fmt::format(
      "`ln -s /dev/null /etc/udev/rules.d/{0}` masks the file; to keep the rest of it, copy it to "
      "/etc/udev/rules.d and remove the line there",
      printable(name));
}

class Finder {
 public:
  Finder(const model::Host& host, const Plan* plan) : host_(host), plan_(plan) {
    if (plan == nullptr) return;
    const auto at = plan->hotplug.knobs.find(kSetting);
    if (at != plan->hotplug.knobs.end()) wanted_ = at->second;
  }

  std::vector<CompetingAgent> find() && {
    for (const OnliningAgent& agent : host_.agents) udev(agent);
    setting();
    boot();
    for (const OnliningAgent& agent : host_.agents) daxctl(agent);
    for (const model::DaxDevice& device : host_.dax_devices) dax_state(device);
    return std::move(found_);
  }

 private:
  CompetingAgent& add(Kind kind, const OnliningAgent& agent) {
    return found_.emplace_back(CompetingAgent{
        kind, agent.path, agent.line, agent.column, agent.text, agent.source, {}, {}, true, false});
  }

  [[nodiscard]] bool acts(const OnliningAgent& agent) const {
    const auto at = [&](const std::optional<std::string>& setting) {
      return setting && std::find(agent.only_with.begin(), agent.only_with.end(), *setting) !=
                            agent.only_with.end();
    };
    return agent.only_with.empty() || at(host_.knobs.auto_online_blocks) || at(wanted_);
  }

  void udev(const OnliningAgent& agent) {
    const bool rule = agent.kind == OnliningAgent::Kind::UdevRule;
    if ((!rule && agent.kind != OnliningAgent::Kind::UdevProgram) || !acts(agent)) return;
    CompetingAgent& found = add(rule ? Kind::UdevRule : Kind::UdevProgram, agent);
    found.does = rule ? udev_rule_does(agent) : udev_program_does(agent);
    found.remedy = udev_remedy(agent.path);
    found.certain = agent.certain;
  }

  void setting() {
    const auto& now = host_.knobs.auto_online_blocks;
    if (!now || *now == "offline" || now == wanted_) return;
    CompetingAgent& found = found_.emplace_back();
    found.kind = Kind::KernelSetting;
    found.path = model::knob_path(kSetting);
    found.line = found.column = 1;
    found.text = found.source = *now;
    found.does = fmt::format("the kernel onlines new memory as `{}`", printable(*now));
    if (!wanted_) return;
    found.does += fmt::format(", but the policy requires `{}`", *wanted_);
    // Alone, the value would be wrong for the memory that the service corrects or leaves out.
    found.remedy =
        plan_->hotplug.by == Onliner::Kernel
            ? fmt::format("write `{}` to {}", *wanted_, model::knob_path(kSetting))
            : fmt::format("start memonlined, which sets it to `{}` while it runs", *wanted_);
    for (const Step& step : plan_->steps) {
      const auto* set = std::get_if<SetKnob>(&step.action);
      if (set == nullptr || set->knob != kSetting || set->scope != KnobScope::Stay) continue;
      found.settled = true;
      found.remedy = fmt::format("step {} of the plan sets it", step.number);
    }
  }

  void boot() {
    const auto effective = default_state_of(host_);
    std::optional<OnliningAgent> decides;
    bool any_placed = false;
    for (const OnliningAgent& agent : host_.agents) {
      if (agent.kind != OnliningAgent::Kind::BootParameter || agent.states.empty()) continue;
      any_placed = true;
      if (knows_default_state(host_, agent.states[0]))
        decides = agent;  // the last one counts
      else
        ignored(agent);
    }
    // A source that has the words alone.
    if (!any_placed && effective) {
      decides.emplace();
      decides->path = "/proc/cmdline";
      decides->line = decides->column = 0;
      decides->text = "memhp_default_state=" + *effective;
      decides->states = {*effective};
    }
    Kind kind = Kind::KernelParameter;
    if (!decides) {
      kind = Kind::KernelDefault;
      for (const OnliningAgent& agent : host_.agents)
        if (agent.kind == OnliningAgent::Kind::BootDefault && !agent.states.empty())
          decides = agent;
    }
    if (decides) boots_with(kind, *decides);
  }

  // `offline` leaves new memory to others.
  void boots_with(Kind kind, const OnliningAgent& agent) {
    const std::string& word = agent.states[0];
    if (word == wanted_ || word == "offline") return;
    CompetingAgent& found = add(kind, agent);
    found.does =
        fmt::format("the kernel boots with auto_online_blocks set to `{}`", printable(word));
    if (!wanted_) return;
    found.does += fmt::format(", but the policy requires `{}`", *wanted_);
    const std::string ours = fmt::format("memhp_default_state={}", *wanted_);
    const std::vector<std::string>& set = plan_->boot.set;
    found.settled = std::find(set.begin(), set.end(), ours) != set.end();
    found.remedy = found.settled ? fmt::format("`{}` is among the kernel parameters to set", ours)
                                 : fmt::format("boot with `{}`", ours);
  }

  void ignored(const OnliningAgent& agent) {
    CompetingAgent& found = add(Kind::IgnoredParameter, agent);
    const std::string word = printable(agent.states[0]);
    const bool none = !knows_default_state(host_, "offline");
    found.does = none ? "this kernel ignores memhp_default_state=: it has no such parameter"
                      : fmt::format(
                            "the kernel ignores `memhp_default_state={}`: it does not support this "
                            "value",
                            word);
    const bool zone_words = knows_default_state(host_, "online_movable");
    found.remedy =
        none ? "remove it from the kernel command line"
             : fmt::format("this kernel supports `offline`{} `online`{}", zone_words ? "," : " and",
                           zone_words ? ", `online_kernel` and `online_movable`" : "");
  }

  void daxctl(const OnliningAgent& agent) {
    if (agent.kind != OnliningAgent::Kind::Daxctl) return;
    const bool movable = agent.states.empty() || agent.states[0] == "online_movable";
    CompetingAgent& found = add(Kind::Daxctl, agent);
    found.does = fmt::format("daxctl reconfigures dax devices as system RAM and onlines it in {}",
                             movable ? "Movable" : "a kernel zone");
    found.remedy = "add `online = false` to this section";
  }

  // Nothing prevents a write to it; what it reads is the last one, not the state of the blocks.
  void dax_state(const model::DaxDevice& device) {
    if (!device.state.starts_with("online")) return;
    CompetingAgent& found = found_.emplace_back();
    found.kind = Kind::DaxState;
    found.path = fmt::format("/sys/bus/dax/devices/{}/state", printable(device.name));
    found.line = found.column = 1;
    found.text = found.source = printable(device.state);
    found.does = fmt::format(
        "a program set all blocks of {} to `{}`, and may do so again: daxctl and the like write "
        "this file",
        printable(device.name), found.text);
  }

  const model::Host& host_;
  const Plan* plan_;
  std::optional<std::string> wanted_;
  std::vector<CompetingAgent> found_;
};

Code code_of(const CompetingAgent& agent) {
  switch (agent.kind) {
    case Kind::UdevRule: return Code::UdevDecides;
    case Kind::UdevProgram: return agent.certain ? Code::UdevDecides : Code::UdevProgramMayDecide;
    case Kind::KernelSetting: return Code::KernelDecides;
    case Kind::KernelParameter:
    case Kind::KernelDefault: return Code::BootDecides;
    case Kind::Daxctl:
    case Kind::DaxState: return Code::DaxctlDecides;  // the latter has no remedy, so no diagnostic
    case Kind::IgnoredParameter: return Code::DefaultStateIgnored;
  }
  return Code::UdevDecides;
}

/// One file for all agents of a path, of which it holds their lines only.
class Sources {
 public:
  Sources(const std::vector<CompetingAgent>& agents, source::SourceSet& files) : files_(files) {
    for (const CompetingAgent& agent : agents)
      if (!agent.source.empty()) lines_[agent.path].emplace(agent.line, agent.source);
  }

  std::optional<source::SourceSpan> span_of(const CompetingAgent& agent) {
    const auto lines = lines_.find(agent.path);
    if (agent.source.empty() || lines == lines_.end()) return std::nullopt;
    const auto [at, fresh] =
        numbers_.emplace(agent.path, static_cast<std::uint32_t>(files_.size()));
    if (fresh) add_file(agent.path, lines->second);
    std::size_t begin = agent.column - 1;
    for (const auto& [line, text] : lines->second) {
      if (line == agent.line) break;
      begin += text.size() + 1;
    }
    return source::SourceSpan{at->second, static_cast<std::uint32_t>(begin),
                              static_cast<std::uint32_t>(begin + agent.text.size())};
  }

 private:
  void add_file(const std::string& path, const std::map<std::uint32_t, std::string>& lines) {
    std::string text;
    std::vector<source::EmbeddedLine> origin;
    for (const auto& [line, source] : lines) {
      text += source + '\n';
      origin.push_back({line, 0});
    }
    files_.emplace_back(path, std::move(text), std::string(), std::move(origin));
  }

  source::SourceSet& files_;
  std::map<std::string, std::map<std::uint32_t, std::string>> lines_;
  std::map<std::string, std::uint32_t> numbers_;
};

}  // namespace

std::vector<CompetingAgent> competing_agents(const model::Host& host, const Plan* plan) {
  return Finder(host, plan).find();
}

std::string_view agent_kind_name(Kind kind) {
  switch (kind) {
    case Kind::UdevRule: return "udev-rule";
    case Kind::UdevProgram: return "udev-program";
    case Kind::KernelSetting: return "kernel-setting";
    case Kind::KernelParameter: return "kernel-parameter";
    case Kind::KernelDefault: return "kernel-default";
    case Kind::Daxctl: return "daxctl";
    case Kind::DaxState: return "dax-state";
    case Kind::IgnoredParameter: return "ignored-parameter";
  }
  return "udev-rule";
}

bool competes(const CompetingAgent& agent) { return !agent.remedy.empty(); }

std::string agent_place(const CompetingAgent& agent) {
  if (agent.line == 0) return printable(agent.path);
  return fmt::format("{}:{}:{}", printable(agent.path), agent.line, agent.column);
}

std::string agent_line(const CompetingAgent& agent) {
  return fmt::format("{}: {}{}", agent_place(agent), agent.does,
                     agent.settled ? fmt::format(" ({})", agent.remedy) : "");
}

void report_agents(const std::vector<CompetingAgent>& agents, bool strict, Settled settled,
                   source::SourceSet& files, diag::Sink& sink) {
  Sources sources(agents, files);
  for (const CompetingAgent& agent : agents) {
    if (!competes(agent) || (agent.settled && settled == Settled::Unsaid)) continue;
    const bool harmless = agent.kind == Kind::IgnoredParameter;
    diag::Severity severity = strict && !harmless ? diag::Severity::Error : diag::Severity::Warning;
    if (agent.settled) severity = diag::Severity::Note;
    const auto span = sources.span_of(agent);
    diag::Diagnostic& d = sink.add_as(severity, code_of(agent), span, agent.does);
    d.help = agent.remedy;
    // A captured host does not hold the lines of its files.
    if (!span) d.notes.push_back(fmt::format("at {}", agent_place(agent)));
  }
}

}  // namespace memonline::plan
