// SPDX-License-Identifier: LGPL-2.1-or-later
// The plan on a screen.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "compiler/base/overloaded.hpp"
#include "compiler/kernel/memory_state.hpp"
#include "compiler/model/knob.hpp"
#include "compiler/plan/agents.hpp"
#include "compiler/plan/verdict.hpp"
#include "compiler/render/plan.hpp"
#include "compiler/text/columns.hpp"
#include "compiler/text/printable.hpp"

namespace memonline::render {

using model::Host;
using model::NodeId;
using plan::Plan;
using plan::Step;

namespace {

std::string node_text(std::optional<NodeId> node) {
  return node ? fmt::format("node{}", *node) : "unknown node";
}

// "node1: 48 blocks, 6 GiB: 8 online (Normal), 40 offline"
std::string before_line(const Host& host, std::optional<NodeId> node) {
  std::uint64_t all = 0;
  std::uint64_t offline = 0;
  std::map<model::Zone, std::uint64_t> online;
  std::uint64_t mixed = 0;
  std::uint64_t no_zone = 0;
  std::uint64_t no_state = 0;
  for (const model::BlockRun& run : host.blocks) {
    if (run.node != node) continue;
    all += run.count;
    const auto zone = kernel::zone_of(host, run);
    if (run.state == model::State::Unknown)
      no_state += run.count;
    else if (run.state != model::State::Online)
      offline += run.count;
    else if (run.zones.kind() == model::ValidZones::Kind::None)
      mixed += run.count;
    else if (zone)
      online[*zone] += run.count;
    else
      no_zone += run.count;
  }
  if (all == 0) return node_text(node) + ": no memory blocks\n";
  std::string text = fmt::format("{}: {} block{}, {}:", node_text(node), all, all == 1 ? "" : "s",
                                 model::human(host.block_size * all));
  const char* comma = " ";
  for (const auto& [zone, count] : online) {
    text += fmt::format("{}{} online ({})", comma, count, model::zone_name(zone));
    comma = ", ";
  }
  if (mixed > 0) {
    text += fmt::format("{}{} online (several zones)", comma, mixed);
    comma = ", ";
  }
  const auto add = [&](std::uint64_t count, const char* what) {
    if (count == 0) return;
    text += fmt::format("{}{} {}", comma, count, what);
    comma = ", ";
  };
  add(no_zone, "online (zone unknown)");
  add(offline, "offline");
  add(no_state, "in an unknown state");
  return text + "\n";
}

struct Row {
  std::string number, action, what, size, rule, place;
};

Row row_of(const Step& step, model::Bytes block_size) {
  Row row;
  row.number = std::to_string(step.number);
  const auto run = [&](std::string action, const model::WriteRun& blocks) {
    row.action = std::move(action);
    row.what = model::range_name(blocks);
    row.size = model::human(block_size * blocks.count());
  };
  std::visit(overloaded{
                 [&](const plan::SetKnob& set) {
                   row.action = "set";
                   row.what = fmt::format("{}={}", model::knob_name(set.knob), set.value);
                   if (set.scope == plan::KnobScope::Run) row.size = "for the run";
                 },
                 [&](const plan::OnlineBlocks& online) {
                   run(std::string(model::online_word(online.word)), online.blocks);
                   if (online.word == model::OnlineWord::Online)
                     row.size += fmt::format(" ({})", model::zone_name(online.zone));
                 },
                 [&](const plan::OfflineBlocks& offline) {
                   run("offline", offline.blocks);
                   if (offline.chance) row.place = step.why;
                 },
                 [&](const plan::ConfigureBlocks& config) {
                   run(std::string(config.verb()), config.blocks);
                   if (!config.device.empty()) row.size += fmt::format(" ({})", config.device);
                   if (config.own_map)
                     row.size += fmt::format(" (memmap_on_memory={:d})", *config.own_map);
                 },
                 [&](const plan::ProbeBlock& probe) {
                   row.action = "probe";
                   row.what = fmt::format("{:#x}", probe.address);
                 },
                 [&](const plan::ReclaimMemory& reclaim) {
                   row.action = "reclaim";
                   row.what = plan::reclaim_name(reclaim.what);
                   row.size = "of all memory";
                 },
                 [&](const plan::SetParameters& parameters) {
                   row.action = "boot-parameters";
                   row.what = fmt::format("{} to set, {} to remove", parameters.set.size(),
                                          parameters.remove.size());
                 },
             },
             step.action);
  row.rule = shortened(step.rule.text, plan::kMaxRuleText);
  if (!step.rule.path.empty())
    row.place = fmt::format("{}:{}:{}", step.rule.path, step.rule.line, step.rule.column);
  // A plan may come from a file, so its texts may contain anything.
  for (std::string* text : {&row.action, &row.what, &row.rule, &row.place})
    *text = printable(*text);
  return row;
}

std::string steps_table(const Plan& plan) {
  const std::vector<text::Column> columns{{text::Align::Right, 2}, {text::Align::Left, 2},
                                          {text::Align::Left, 3},  {text::Align::Left, 3},
                                          {text::Align::Left, 3},  {text::Align::Left, 3}};
  std::vector<std::vector<std::string>> rows;
  rows.reserve(plan.steps.size());
  for (const Step& step : plan.steps) {
    Row row = row_of(step, model::Bytes(plan.host.block_size));
    rows.push_back({std::move(row.number), std::move(row.action), std::move(row.what),
                    std::move(row.size), std::move(row.rule), std::move(row.place)});
  }
  std::string text;
  for (const std::string& line : text::in_columns(columns, rows)) text += line + "\n";
  return text;
}

std::string percent(model::Bytes part, model::Bytes whole) {
  const std::uint64_t tenths = (part / 1024 * 1000 + whole / 2048) / (whole / 1024);
  if (tenths % 10 == 0) return fmt::format("{}%", tenths / 10);
  return fmt::format("{}.{}%", tenths / 10, tenths % 10);
}

// "node1 becomes 20.8% Normal, 79.2% Movable (whole blocks; 80% would be 38.4)."
std::string after_line(const plan::NodeOutcome& node, bool touched) {
  const model::Bytes whole = node.normal + node.movable + node.offline + node.unknown;
  if (whole == model::Bytes(0)) return {};
  std::string text = fmt::format("{} {}", node_text(node.node), touched ? "becomes" : "stays");
  const char* comma = " ";
  const auto add = [&](model::Bytes part, const char* name) {
    if (part == model::Bytes(0)) return;
    text += fmt::format("{}{} {}", comma, percent(part, whole), name);
    comma = ", ";
  };
  add(node.normal, "Normal");
  add(node.movable, "Movable");
  add(node.offline, "offline");
  add(node.unknown, "unknown");
  if (touched && !node.sentences.empty()) {
    text += " (whole blocks; ";
    for (std::size_t i = 0; i < node.sentences.size(); ++i)
      text += (i > 0 ? ", " : "") + node.sentences[i];
    text += ")";
  }
  if (touched && node.uncertain > model::Bytes(0))
    text += fmt::format("; {} of this depends on blocks that may fail to offline",
                        model::human(node.uncertain));
  return text + ".";
}

std::string hotplug_line(const plan::HotplugPart& hotplug) {
  const bool corrected = hotplug.by == plan::Onliner::Corrected;
  std::string text =
      fmt::format("Hot-added memory: handled by the {}",
                  plan::onliner_name(corrected ? plan::Onliner::Kernel : hotplug.by));
  const char* open = " (";
  for (const auto& [knob, value] : hotplug.knobs) {
    text += fmt::format("{}{}={}", open, model::knob_name(knob), value);
    open = ", ";
  }
  if (!hotplug.knobs.empty()) text += ")";
  if (corrected) text += ", then corrected by the service";
  return text + fmt::format("; {}.\n", hotplug.why);
}

// "After a reboot with kernelcore=4096M: node0 1 GiB Movable, 2 GiB Normal."
std::string boot_lines(const plan::Boot& boot) {
  std::string text;
  if (!boot.set.empty())
    text += fmt::format("Kernel parameters to set: {}\n", fmt::join(boot.set, " "));
  if (!boot.remove.empty())
    text += fmt::format("Kernel parameters to remove: {}\n", fmt::join(boot.remove, " "));
  for (const plan::BootNode& node : boot.nodes) {
    const char* open = ": ";
    text += fmt::format("  boot memory of node{}", node.node);
    for (const auto& [zone, bytes] : node.predicted) {
      text += fmt::format("{}{} {}", open, model::human(model::Bytes(bytes)), zone);
      open = ", ";
    }
    text += "\n";
  }
  return text + (boot.reboot_required ? "A reboot is needed for the kernel parameters.\n"
                                      : "No reboot needed.\n");
}

std::string indented(const std::string& lines) {
  std::string text;
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = lines.find('\n', at);
    text += (at == 0 ? "  " : "    ") + lines.substr(at, end - at) + "\n";
    at = end + 1;
  }
  return text;
}

}  // namespace

std::string agents_to_text(const std::vector<plan::CompetingAgent>& agents) {
  std::string text;
  for (const plan::CompetingAgent& agent : agents) {
    const char* name = plan::competes(agent) ? "Competing onlining agent" : "Onlining agent";
    if (agent.kind == plan::CompetingAgent::Kind::IgnoredParameter) name = "Without effect";
    text += printable(fmt::format("{}: {}", name, plan::agent_line(agent))) + "\n";
  }
  return text;
}

std::string remaining_to_text(const Plan& plan) {
  std::string text;
  if (plan.steps.empty()) text = plan::verdict_line(plan) + "\n";
  plan::Judgement judgement = plan.judgement;
  // Parameters to set or remove have lines of their own.
  if (plan.boot.reboot_required)
    std::erase_if(judgement.remaining, [](const plan::Remaining& one) {
      return one.kind == plan::Remaining::Kind::Boot;
    });
  for (const std::string& line : plan::remaining_lines(judgement))
    text += (plan.steps.empty() ? "" : "Remains: ") + line + "\n";
  return text;
}

std::string remaining_when_done(const Plan& plan) {
  Plan done;
  done.policy = plan.policy;
  done.judgement = plan::when_done(plan.judgement);
  std::erase_if(done.judgement.remaining,
                [](const plan::Remaining& one) { return one.kind == plan::Remaining::Kind::Boot; });
  return done.judgement.remaining.empty() ? std::string() : remaining_to_text(done);
}

std::string plan_to_text(const Plan& plan, const Host& before) {
  std::set<std::optional<NodeId>> touched;
  for (const Step& step : plan.steps) {
    if (const auto* online = std::get_if<plan::OnlineBlocks>(&step.action))
      touched.insert(online->node);
    if (const auto* offline = std::get_if<plan::OfflineBlocks>(&step.action))
      touched.insert(offline->node);
    if (const auto* config = std::get_if<plan::ConfigureBlocks>(&step.action))
      touched.insert(config->node);
  }
  std::string text;
  for (const plan::NodeOutcome& node : plan.outcome) text += before_line(before, node.node);
  text += steps_table(plan);
  if (plan.steps.empty()) text += indented(remaining_to_text(plan));
  for (const plan::NodeOutcome& node : plan.outcome)
    text += printable(after_line(node, touched.contains(node.node))) + "\n";
  if (!plan.steps.empty()) text += remaining_to_text(plan);
  for (const std::string& one : plan.afterwards)
    text += fmt::format("Afterwards: {}.\n", printable(one));
  return text + printable(hotplug_line(plan.hotplug), "\n") + agents_to_text(plan.agents) +
         printable(boot_lines(plan.boot), "\n");
}

}  // namespace memonline::render
