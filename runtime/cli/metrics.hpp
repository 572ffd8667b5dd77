// SPDX-License-Identifier: LGPL-2.1-or-later
// The state of memory as Prometheus reads it from a file (the textfile collector of its node
// exporter): gauges in bytes and blocks, counters of the service where it runs.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "compiler/model/host.hpp"
#include "compiler/plan/drift.hpp"

namespace memonline::cli {

struct Metrics {
  const model::Host& host;
  const std::vector<plan::StatusRun>& runs;
  bool policy = false;  ///< a policy exists, and has a plan
  std::size_t pending_steps = 0;
  bool reboot_pending = false;
  /// Those of the service: "blocks-onlined", "last-latency-ms", ...; empty: it is not running.
  std::map<std::string, std::uint64_t> counters;
  /// False: the policy has an error, or cannot be planned here; no drift and no steps are given.
  bool drift_known = true;
};

/// Text format 0.0.4; every metric with its HELP and TYPE.
std::string to_prometheus(const Metrics& metrics);

}  // namespace memonline::cli
