// SPDX-License-Identifier: LGPL-2.1-or-later
// Memory arriving on a model of the host, device by device, each onlined by a policy before the
// next one comes. Only for the forecast: the same walk answers a request and tries its remedies.
#pragma once

#include <cstdint>

#include "compiler/base/work.hpp"
#include "compiler/forecast/forecast.hpp"

namespace memonline::forecast {

struct Walk {
  std::vector<Device> devices;
  std::optional<std::uint64_t> ends_at;
  model::Bytes lowest_free;
  std::optional<std::uint64_t> slow_blocks;
  std::vector<NewRun> runs;
  plan::Onliner by = plan::Onliner::Kernel;
  plan::RuleRef rule;
  /// More free kernel memory that would have made it fit, at least.
  model::Bytes short_of;
  bool refused = false;  ///< the planner has no plan for the grown host; `sink` says why
};

struct Arrival {
  std::uint64_t blocks = 0;      ///< of all devices
  std::uint64_t per_device = 0;  ///< of each; the last may have fewer
  model::NodeId node;
  plan::Source source = plan::Source::Dimm;
};

/// Where the first of them would be.
model::BlockId first_free_block(const model::Host& host, const Arrival& arrival);

/// `free` is what kernel memory has before the first device.
Walk walk(const sema::Policy& policy, const source::SourceSet& files, const model::Host& start,
          model::Bytes free, const Arrival& arrival, diag::Sink& sink, Work& work);

}  // namespace memonline::forecast
