// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/cli/metrics.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>

namespace memonline::cli {

namespace {

class Text {
 public:
  void metric(std::string_view name, std::string_view type, std::string_view help) {
    name_ = fmt::format("memonline_{}", name);
    text_ += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", name_, help, type);
  }
  template <class Value>
  void sample(const Value& value, std::string_view labels = {}) {
    text_ += labels.empty() ? fmt::format("{} {}\n", name_, value)
                            : fmt::format("{}{{{}}} {}\n", name_, labels, value);
  }
  std::string take() { return std::move(text_); }

 private:
  std::string name_, text_;
};

std::string node_label(const std::optional<model::NodeId>& node) {
  return fmt::format(R"(node="{}")", node ? fmt::to_string(*node) : "unknown");
}

/// The bytes of each zone of each node, and "offline" for memory that is not online.
std::map<std::pair<std::string, std::string>, model::Bytes> bytes_of(const Metrics& metrics) {
  std::map<std::pair<std::string, std::string>, model::Bytes> bytes;
  for (const plan::StatusRun& run : metrics.runs) {
    const bool offline =
        run.blocks.state == model::State::Offline || run.blocks.state == model::State::GoingOffline;
    const std::string zone =
        offline ? std::string("offline") : plan::zone_text(run.blocks).value_or("unknown");
    bytes[{node_label(run.blocks.node), zone}] += metrics.host.block_size * run.blocks.count;
  }
  return bytes;
}

struct Counter {
  std::string_view key, name, help;
};
constexpr std::array<Counter, 5> kCounters{{
    {"blocks-onlined", "blocks_onlined_total", "Memory blocks onlined by the service."},
    {"failures", "failures_total", "Memory blocks that failed, counted in each round."},
    {"retries", "retries_total", "Retry rounds of the service."},
    {"rescans", "rescans_total", "Rescans of the service after lost uevents."},
    {"events", "events_total", "Uevents received by the service."},
}};

void write_counters(const Metrics& metrics, Text& text) {
  text.metric("service_up", "gauge", "Whether memonlined responds.");
  text.sample(metrics.counters.empty() ? 0 : 1);
  for (const Counter& counter : kCounters) {
    const auto value = metrics.counters.find(std::string(counter.key));
    if (value == metrics.counters.end()) continue;
    text.metric(counter.name, "counter", counter.help);
    text.sample(value->second);
  }
  if (const auto last = metrics.counters.find("last-latency-ms"); last != metrics.counters.end()) {
    text.metric("last_latency_seconds", "gauge",
                "Time from the first uevent of the last burst until its last block was online.");
    text.sample(fmt::format("{}.{:03}", last->second / 1000, last->second % 1000));
  }
}

void write_drift(const Metrics& metrics, Text& text) {
  std::uint64_t drifting = 0;
  for (const plan::StatusRun& run : metrics.runs)
    if (run.drift) drifting += run.blocks.count;
  text.metric("drift_blocks", "gauge", "Memory blocks that drift from the policy.");
  text.sample(drifting);
  text.metric("pending_steps", "gauge", "Pending steps of the plan.");
  text.sample(metrics.pending_steps);
  text.metric("reboot_required", "gauge", "Whether kernel parameters need a reboot.");
  text.sample(metrics.reboot_pending ? 1 : 0);
}

}  // namespace

std::string to_prometheus(const Metrics& metrics) {
  Text text;
  text.metric("memory_bytes", "gauge",
              "Memory by node and zone; zone \"offline\" is memory that is not online.");
  for (const auto& [where, bytes] : bytes_of(metrics))
    text.sample(bytes, fmt::format(R"({},zone="{}")", where.first, where.second));
  text.metric("block_size_bytes", "gauge", "Size of a memory block.");
  text.sample(metrics.host.block_size);
  text.metric("policy", "gauge", "Whether a policy exists and could be planned.");
  text.sample(metrics.policy ? 1 : 0);
  text.metric("policy_error", "gauge", "Whether the policy has an error, or no plan is possible.");
  text.sample(metrics.drift_known ? 0 : 1);
  if (metrics.drift_known) write_drift(metrics, text);
  write_counters(metrics, text);
  return text.take();
}

}  // namespace memonline::cli
