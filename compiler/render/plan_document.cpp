// SPDX-License-Identifier: LGPL-2.1-or-later
// The plan as a document: one description, written as JSON or as YAML. Other programs rely on its
// fields: a field may be added, but no field is removed or changes its meaning.
#include <fmt/format.h>

#include "compiler/base/overloaded.hpp"
#include "compiler/model/knob.hpp"
#include "compiler/render/judgement_members.hpp"
#include "compiler/render/plan.hpp"
#include "compiler/text/json_writer.hpp"
#include "compiler/text/yaml_writer.hpp"

namespace memonline::render {

using namespace plan;  // the words of this file are the plan's

namespace {

template <class Writer>
class Document {
 public:
  std::string of(const Plan& plan, const forecast::Forecast* forecast) && {
    out_.begin_object().member("schema", kPlanSchema);
    host(plan.host);
    policy(plan.policy);
    out_.key("steps").begin_array();
    for (const Step& one : plan.steps) step(one);
    out_.end_array();
    boot(plan.boot);
    hotplug(plan.hotplug);
    out_.key("outcome").begin_array();
    for (const NodeOutcome& node : plan.outcome) outcome(node);
    out_.end_array();
    out_.key("skipped").begin_array();
    for (const Skipped& one : plan.skipped) skipped(one);
    out_.end_array();
    out_.member("verdict", verdict_name(plan.judgement.verdict));
    write_remaining(out_, plan.judgement.remaining);
    write_agents(out_, plan.agents);
    if (!plan.afterwards.empty()) {
      out_.key("afterwards").begin_array();
      for (const std::string& one : plan.afterwards) out_.value(one);
      out_.end_array();
    }
    out_.key("diagnostics").begin_array();
    for (const PlanDiagnostic& one : plan.diagnostics) diagnostic(one);
    out_.end_array();
    if (forecast != nullptr) to_come(*forecast);
    out_.end_object();
    return std::move(out_).finish();
  }

 private:
  void host(const HostRef& host) {
    out_.key("host").begin_object();
    out_.member("kernel", host.kernel).member("era", host.era).member("arch", host.arch);
    out_.member("block_size", host.block_size).member("fingerprint", host.fingerprint);
    out_.key("facts").begin_array();
    for (const std::string& line : host.facts) out_.value(line);
    out_.end_array().end_object();
  }

  void policy(const std::vector<PolicyRef>& files) {
    out_.key("policy").begin_array();
    for (const PolicyRef& file : files)
      out_.begin_object().member("path", file.path).member("sha256", file.sha256).end_object();
    out_.end_array();
  }

  void node(const std::optional<model::NodeId>& id) { out_.member("node", id); }

  void rule(const RuleRef& rule) {
    out_.key("rule");
    if (rule.path.empty()) {
      out_.null();
      return;
    }
    out_.begin_object();
    out_.member("path", rule.path).member("line", rule.line).member("column", rule.column);
    out_.member("text", rule.text).end_object();
  }

  // As a range, or in the order of the writes.
  void blocks(const auto& range) {
    out_.key("blocks").begin_array(text::Layout::Line);
    out_.value(range.first).value(range.last).end_array();
  }

  void words(std::string_view name, const std::vector<std::string>& list) {
    out_.key(name).begin_array(text::Layout::Line);
    for (const std::string& word : list) out_.value(word);
    out_.end_array();
  }

  void step(const Step& step) {
    out_.begin_object().member("number", step.number);
    std::visit(
        overloaded{
            [&](const SetKnob& set) {
              out_.member("action", "set").member("knob", model::knob_name(set.knob));
              out_.member("value", set.value).member("before", set.before);
              if (set.scope == KnobScope::Run) out_.member("scope", "run");
            },
            [&](const OnlineBlocks& online) {
              out_.member("action", "online").member("state", online_word(online.word));
              blocks(online.blocks);
              node(online.node);
              out_.member("zone", model::zone_name(online.zone)).member("before", "offline");
            },
            [&](const OfflineBlocks& offline) {
              out_.member("action", "offline").member("state", "offline");
              blocks(offline.blocks);
              node(offline.node);
              out_.key("zone");
              if (offline.zone)
                out_.value(model::zone_name(*offline.zone));
              else
                out_.null();
              out_.member("before", "online");
              if (offline.all_or_nothing) out_.member("all_or_nothing", true);
              if (offline.chance) out_.member("chance", plan::chance_name(*offline.chance));
              if (offline.moves) out_.member("moves", *offline.moves);
            },
            [&](const ConfigureBlocks& config) {
              out_.member("action", config.verb());
              if (!config.device.empty()) out_.member("device", config.device);
              blocks(config.blocks);
              node(config.node);
              const char* none = config.device.empty() ? "standby" : "unbound";
              out_.member("before", config.configure ? none : "offline");
              if (config.own_map) out_.member("memmap_on_memory", *config.own_map);
            },
            [&](const ProbeBlock& probe) {
              out_.member("action", "probe").member("address", fmt::format("{:#x}", probe.address));
            },
            [&](const ReclaimMemory& reclaim) {
              out_.member("action", "reclaim").member("what", plan::reclaim_name(reclaim.what));
            },
            [&](const SetParameters& parameters) {
              out_.member("action", "boot-parameters");
              words("set", parameters.set);
              words("remove", parameters.remove);
            },
        },
        step.action);
    rule(step.rule);
    out_.member("why", step.why).end_object();
  }

  void zone_bytes(std::string_view name, const std::map<std::string, std::uint64_t>& bytes) {
    out_.key(name).begin_object(text::Layout::Line);
    for (const auto& [zone, amount] : bytes) out_.member(zone, amount);
    out_.end_object();
  }

  void boot(const Boot& boot) {
    out_.key("boot").begin_object();
    words("parameters", boot.parameters);
    words("set", boot.set);
    words("remove", boot.remove);
    out_.member("reboot_required", boot.reboot_required);
    out_.key("nodes").begin_array();
    for (const BootNode& one : boot.nodes) {
      out_.begin_object().member("node", one.node);
      zone_bytes("wished", one.wished);
      zone_bytes("predicted", one.predicted);
      out_.end_object();
    }
    out_.end_array().end_object();
  }

  void hotplug(const HotplugPart& hotplug) {
    out_.key("hotplug").begin_object().member("by", plan::onliner_name(hotplug.by));
    out_.key("knobs").begin_object(text::Layout::Line);
    for (const auto& [knob, value] : hotplug.knobs) out_.member(model::knob_name(knob), value);
    out_.end_object().member("why", hotplug.why);
    rule(hotplug.rule);
    out_.end_object();
  }

  void outcome(const NodeOutcome& outcome) {
    out_.begin_object();
    node(outcome.node);
    out_.key("bytes").begin_object(text::Layout::Line);
    out_.member("Normal", outcome.normal).member("Movable", outcome.movable);
    out_.member("offline", outcome.offline);
    if (outcome.unknown > model::Bytes(0)) out_.member("unknown", outcome.unknown);
    out_.end_object();
    zone_bytes("zones", outcome.zones);
    if (outcome.uncertain > model::Bytes(0)) out_.member("uncertain", outcome.uncertain);
    out_.end_object();
  }

  void skipped(const Skipped& skipped) {
    out_.begin_object();
    blocks(skipped.blocks);
    node(skipped.node);
    out_.member("wanted", skipped.wanted).member("reason", skipped.reason);
    rule(skipped.rule);
    if (!skipped.unknown.empty()) out_.member("unknown", skipped.unknown);
    out_.end_object();
  }

  void diagnostic(const PlanDiagnostic& d) {
    out_.begin_object().member("code", d.code).member("severity", diag::severity_name(d.severity));
    out_.member("message", d.message).member("help", d.help);
    if (!d.path.empty())
      out_.member("path", d.path).member("line", d.line).member("column", d.column);
    out_.end_object();
  }

  void to_come(const forecast::Forecast& f) {
    out_.key("forecast").begin_object().member("schema", forecast::kForecastSchema);
    out_.member("bytes", f.request.bytes).member("source", plan::source_name(f.source));
    out_.member("node", f.node);
    out_.member("devices", f.device_count).member("device_bytes", f.device_bytes);
    out_.member("memmap_on_memory", f.own_map).member("fits", f.fits());
    out_.member("ends_at", f.ends_at);
    out_.member("needed", f.devices.back().needed);
    out_.member("free", f.devices.back().free);
    out_.member("lowest_free", f.lowest_free);
    out_.member("slow_blocks", f.slow_blocks);
    out_.key("remedies").begin_array();
    for (const forecast::Remedy& remedy : f.remedies) {
      out_.begin_object().member("kind", forecast::remedy_name(remedy.kind));
      if (remedy.bytes > model::Bytes(0)) out_.member("bytes", remedy.bytes);
      if (remedy.normal > 0) out_.member("normal_blocks", remedy.normal);
      out_.member("by_service", remedy.by_service).member("text", remedy.text).end_object();
    }
    out_.end_array().member("by", plan::onliner_name(f.by));
    out_.key("new_blocks").begin_array();
    for (const forecast::NewRun& run : f.runs) {
      out_.begin_object();
      blocks(run.blocks);
      node(run.node);
      out_.key("zone");
      if (run.zone)
        out_.value(model::zone_name(*run.zone));
      else
        out_.null();
      out_.end_object();
    }
    out_.end_array().end_object();
  }

  Writer out_;
};

}  // namespace

std::string plan_to_json(const Plan& plan, const forecast::Forecast* forecast) {
  return Document<text::JsonWriter>().of(plan, forecast);
}
std::string plan_to_yaml(const Plan& plan, const forecast::Forecast* forecast) {
  return Document<text::YamlWriter>().of(plan, forecast);
}

}  // namespace memonline::render
