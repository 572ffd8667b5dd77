// SPDX-License-Identifier: LGPL-2.1-or-later
// What Prometheus reads, with a service that has counted.
#include "runtime/cli/metrics.hpp"

#include <fmt/format.h>

#include "tests/support/catch.hpp"
#include "tests/support/host_builder.hpp"

namespace cli = memonline::cli;
namespace model = memonline::model;
namespace plan = memonline::plan;
namespace test = memonline::test;

namespace {

std::string metrics_of(std::map<std::string, std::uint64_t> counters) {
  const model::Host host = test::HostBuilder()
                               .boot(0, 0, 8)
                               .dimm(1, 34, 6)
                               .dimm_online(1, 32, 2, model::Zone::Movable)
                               .build();
  std::vector<plan::StatusRun> runs = plan::status_runs(host, nullptr);
  runs.back().drift = true;
  return cli::to_prometheus({host, runs, true, 3, true, std::move(counters)});
}

const std::string kGauges =
    R"(# HELP memonline_memory_bytes Memory in blocks by node and zone; zone "offline" is present and unused.
# TYPE memonline_memory_bytes gauge
memonline_memory_bytes{node="0",zone="Normal"} 1073741824
memonline_memory_bytes{node="1",zone="Movable"} 268435456
memonline_memory_bytes{node="1",zone="offline"} 805306368
# HELP memonline_block_size_bytes What memory goes online in.
# TYPE memonline_block_size_bytes gauge
memonline_block_size_bytes 134217728
# HELP memonline_policy Whether there is a policy, and a plan for it.
# TYPE memonline_policy gauge
memonline_policy 1
# HELP memonline_policy_error Whether the policy has an error, or no plan is possible.
# TYPE memonline_policy_error gauge
memonline_policy_error 0
# HELP memonline_drift_blocks Blocks that are not as the policy says.
# TYPE memonline_drift_blocks gauge
memonline_drift_blocks 6
# HELP memonline_pending_steps Steps of the plan that would change that.
# TYPE memonline_pending_steps gauge
memonline_pending_steps 3
# HELP memonline_reboot_required Whether kernel parameters wait for a reboot.
# TYPE memonline_reboot_required gauge
memonline_reboot_required 1
# HELP memonline_service_up Whether memonlined answers.
# TYPE memonline_service_up gauge
)";

const std::string kCounters =
    R"(# HELP memonline_blocks_onlined_total Blocks the service brought online.
# TYPE memonline_blocks_onlined_total counter
memonline_blocks_onlined_total 524288
# HELP memonline_failures_total Blocks that were refused, each time they were.
# TYPE memonline_failures_total counter
memonline_failures_total 7
# HELP memonline_retries_total Rounds the service made to try again.
# TYPE memonline_retries_total counter
memonline_retries_total 2
# HELP memonline_rescans_total Rounds the service made because events were lost.
# TYPE memonline_rescans_total counter
memonline_rescans_total 1
# HELP memonline_events_total Events of the kernel the service heard.
# TYPE memonline_events_total counter
memonline_events_total 524300
# HELP memonline_last_latency_seconds From the first event of the last burst to its last block online.
# TYPE memonline_last_latency_seconds gauge
)";

}  // namespace

TEST_CASE("metrics: what the service has counted, its latency in seconds") {
  std::map<std::string, std::uint64_t> counters{{"blocks-onlined", 524288},
                                                {"failures", 7},
                                                {"retries", 2},
                                                {"rescans", 1},
                                                {"events", 524300},
                                                {"last-latency-ms", 1234},
                                                {"of-another-version", 5}};
  const std::string up = "memonline_service_up 1\n";
  CHECK(metrics_of(counters) ==
        kGauges + up + kCounters + "memonline_last_latency_seconds 1.234\n");
  // Zeros after the point are written out, and a burst may last.
  for (const auto& [milliseconds, seconds] : std::vector<std::pair<std::uint64_t, std::string>>{
           {0, "0.000"}, {7, "0.007"}, {1030, "1.030"}, {3'600'050, "3600.050"}}) {
    counters["last-latency-ms"] = milliseconds;
    const std::string latency = fmt::format("\nmemonline_last_latency_seconds {}\n", seconds);
    CHECK(metrics_of(counters).ends_with(latency));
  }
}

TEST_CASE("metrics: without a service there are no counters") {
  CHECK(metrics_of({}) == kGauges + "memonline_service_up 0\n");
}

TEST_CASE("metrics: where the policy has an error, drift and steps are absent, not 0") {
  const model::Host host = test::HostBuilder().boot(0, 0, 8).build();
  const std::vector<plan::StatusRun> runs = plan::status_runs(host, nullptr);
  const std::string text = cli::to_prometheus({host, runs, false, 0, false, {}, false});
  CHECK(text.find("memonline_policy_error 1\n") != std::string::npos);
  CHECK(text.find("memonline_policy 0\n") != std::string::npos);
  CHECK(text.find("drift") == std::string::npos);
  CHECK(text.find("pending") == std::string::npos);
  CHECK(text.find("memonline_memory_bytes") != std::string::npos);
}
