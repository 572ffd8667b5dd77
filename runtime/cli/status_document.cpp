// SPDX-License-Identifier: LGPL-2.1-or-later
// The status of memory for programs: one description, written as JSON or as YAML.
#include <optional>
#include <utility>

#include "compiler/model/knob.hpp"
#include "compiler/plan/sources.hpp"
#include "compiler/render/judgement_members.hpp"
#include "compiler/text/json_writer.hpp"
#include "compiler/text/yaml_writer.hpp"
#include "runtime/cli/diagnostics_member.hpp"
#include "runtime/cli/status_report.hpp"

namespace memonline::cli {

namespace {

using text::Layout;

template <class Writer>
class Document {
 public:
  std::string of(const StatusReport& status) && {
    const model::Host& host = *status.compiled.host;
    out_.begin_object().member("schema", "memonline.status/1");
    write_host(host);
    write_knobs(host.knobs);
    out_.key("blocks").begin_array();
    for (const plan::StatusRun& run : status.runs) write_run(run, host, status.drift_known());
    out_.end_array();
    if (!host.standby.empty()) write_standby(host.standby);
    if (!host.dax_devices.empty()) write_dax(host);
    if (const auto cause = plan::dimms_ignored_by(host); !cause.empty())
      out_.member("dimms_ignored_by", cause);
    out_.member("verdict", verdict_name(status.verdict));
    if (status.judged.unknown > 0) write_unjudged(status.judged);
    write_pending(status);
    render::write_remaining(out_, status.compiled.plan ? status.compiled.plan->judgement.remaining
                                                       : std::vector<plan::Remaining>{});
    render::write_agents(out_, status.agents);
    write_boot(status.boot);
    if (!status.compiled.news.empty()) write_news(status.compiled.news);
    out_.key("unread").begin_array();
    for (const model::Unread& unread : host.unread)
      out_.begin_object(Layout::Line)
          .member("path", unread.path)
          .member("reason", unread.reason)
          .end_object();
    out_.end_array();
    write_diagnostics(out_, status.compiled.sink, status.compiled.policies.shown);
    out_.end_object();
    return std::move(out_).finish();
  }

 private:
  void write_host(const model::Host& host) {
    out_.key("host").begin_object();
    out_.member("name", host.name).member("kernel", host.kernel);
    out_.member("era", model::era_name(host.era)).member("era_evidence", host.era_evidence);
    out_.member("arch", host.arch).member("virtualization", host.virtualization);
    out_.member("memory", host.memory);
    out_.member("block_size", host.block_size).member("fingerprint", host.fingerprint);
    out_.end_object();
  }

  void write_knobs(const model::Knobs& knobs) {
    out_.key("knobs").begin_object();
    const auto setting = [&](model::Knob knob, const auto& value) {
      out_.member(model::knob_name(knob), value);
    };
    setting(model::Knob::AutoOnlineBlocks, knobs.auto_online_blocks);
    setting(model::Knob::OnlinePolicy, knobs.online_policy);
    setting(model::Knob::AutoMovableRatio, knobs.auto_movable_ratio);
    setting(model::Knob::AutoMovableNumaAware, knobs.auto_movable_numa_aware);
    setting(model::Knob::MemmapOnMemory, knobs.memmap_on_memory);
    out_.end_object();
  }

  void write_run(const plan::StatusRun& run, const model::Host& host, bool drift_known) {
    const model::BlockRun& b = run.blocks;
    out_.begin_object(Layout::Line);
    write_blocks(b.range());
    out_.member("state", model::state_name(b.state));
    out_.member("zone", plan::zone_text(b));
    out_.member("node", b.node);
    out_.member("device", host.devices.at(b.device).name);
    out_.member("drift", drift_known ? std::optional(run.drift) : std::nullopt);
    out_.end_object();
  }

  void write_blocks(const auto& range) {
    out_.key("blocks").begin_array(Layout::Line);
    out_.value(range.first).value(range.last).end_array();
  }

  void write_standby(const std::vector<model::BlockRange>& standby) {
    out_.key("standby").begin_array();
    for (const model::BlockRange& one : standby) {
      out_.begin_object(Layout::Line);
      write_blocks(one);
      out_.end_object();
    }
    out_.end_array();
  }

  void write_dax(const model::Host& host) {
    const auto text = [](const std::string& one) {
      return one.empty() ? std::nullopt : std::optional(one);
    };
    out_.key("dax").begin_array();
    for (const model::DaxDevice& device : host.dax_devices) {
      out_.begin_object(Layout::Line).member("name", device.name);
      out_.member("driver", text(device.driver));
      out_.member("size",
                  device.size > model::Bytes(0) ? std::optional(device.size) : std::nullopt);
      out_.member("node", device.node);
      out_.member("region", text(device.region)).key("memory_devices").begin_array(Layout::Line);
      for (const std::string& memory : device.memory_devices) out_.value(memory);
      out_.end_array().member("last_written", text(device.state)).end_object();
    }
    out_.end_array().key("memory_tiers").begin_array();
    for (const model::MemoryTier& tier : host.memory_tiers) {
      out_.begin_object(Layout::Line).member("name", tier.name).key("nodes");
      out_.begin_array(Layout::Line);
      for (const model::NodeId node : tier.nodes) out_.value(node);
      out_.end_array().end_object();
    }
    out_.end_array().member("demotion", host.demotion);
  }

  /// What the verdict does not cover.
  void write_unjudged(const plan::Judged& judged) {
    out_.key("unjudged").begin_array();
    for (const plan::Unjudged& one : judged.unjudged) {
      out_.begin_object(Layout::Line);
      write_blocks(one.blocks);
      out_.member("unknown", one.fact).end_object();
    }
    out_.end_array();
  }

  void write_pending(const StatusReport& status) {
    const bool known = status.drift_known();
    out_.key("pending").begin_object();
    out_.member("steps", known ? std::optional(status.steps) : std::nullopt);
    out_.member("reboot", known ? std::optional(status.reboot) : std::nullopt);
    out_.end_object();
  }

  void write_boot(const BootOutcome& boot) {
    out_.key("boot").begin_object().member("outcome", outcome_name(boot.is));
    out_.key("parameters").begin_array(Layout::Line);
    for (const std::string& word : boot.parameters) out_.value(word);
    out_.end_array().key("differences").begin_array();
    for (const ZoneDifference& one : boot.differences)
      out_.begin_object(Layout::Line)
          .member("node", std::uint64_t{one.node})
          .member("zone", one.zone)
          .member("predicted", one.predicted)
          .member("real", one.real)
          .end_object();
    out_.end_array().end_object();
  }

  void write_news(const ServiceNews& news) {
    out_.key("service").begin_object().key("failing").begin_array();
    for (const ServiceNews::Failing& one : news.failing) {
      out_.begin_object(Layout::Line);
      write_blocks(one.blocks);
      out_.member("errno", static_cast<std::uint64_t>(one.error))
          .member("text", one.text)
          .end_object();
    }
    out_.end_array().key("left_alone").begin_array();
    for (const std::string& sentence : news.left_alone) out_.value(sentence);
    out_.end_array().end_object();
  }

  Writer out_;
};

}  // namespace

std::string status_to_json(const StatusReport& status) {
  return Document<text::JsonWriter>().of(status);
}
std::string status_to_yaml(const StatusReport& status) {
  return Document<text::YamlWriter>().of(status);
}

}  // namespace memonline::cli
