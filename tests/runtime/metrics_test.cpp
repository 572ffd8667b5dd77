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
    R"(# HELP memonline_memory_bytes Memory by node and zone; zone "offline" is memory that is not online.
# TYPE memonline_memory_bytes gauge
memonline_memory_bytes{node="0",zone="Normal"} 1073741824
memonline_memory_bytes{node="1",zone="Movable"} 268435456
memonline_memory_bytes{node="1",zone="offline"} 805306368
# HELP memonline_block_size_bytes Size of a memory block.
# TYPE memonline_block_size_bytes gauge
memonline_block_size_bytes 134217728
# HELP memonline_policy Whether a policy exists and could be planned.
# TYPE memonline_policy gauge
memonline_policy 1
# HELP memonline_policy_error Whether the policy has an error, or no plan is possible.
# TYPE memonline_policy_error gauge
memonline_policy_error 0
# HELP memonline_drift_blocks Memory blocks that drift from the policy.
# TYPE memonline_drift_blocks gauge
memonline_drift_blocks 6
# HELP memonline_pending_steps Pending steps of the plan.
# TYPE memonline_pending_steps gauge
memonline_pending_steps 3
# HELP memonline_reboot_required Whether kernel parameters need a reboot.
# TYPE memonline_reboot_required gauge
memonline_reboot_required 1
# HELP memonline_service_up Whether memonlined responds.
# TYPE memonline_service_up gauge
)";

const std::string kCounters =
    R"(# HELP memonline_blocks_onlined_total Memory blocks onlined by the service.
# TYPE memonline_blocks_onlined_total counter
memonline_blocks_onlined_total 524288
# HELP memonline_failures_total Memory blocks that failed, counted in each round.
# TYPE memonline_failures_total counter
memonline_failures_total 7
# HELP memonline_retries_total Retry rounds of the service.
# TYPE memonline_retries_total counter
memonline_retries_total 2
# HELP memonline_rescans_total Rescans of the service after lost uevents.
# TYPE memonline_rescans_total counter
memonline_rescans_total 1
# HELP memonline_events_total Uevents received by the service.
# TYPE memonline_events_total counter
memonline_events_total 524300
# HELP memonline_last_latency_seconds Time from the first uevent of the last burst until its last block was online.
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
