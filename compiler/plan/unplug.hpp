// SPDX-License-Identifier: LGPL-2.1-or-later
// What must go offline so that memory can be taken out of a host: which blocks, in which order,
// what stands in the way, and how likely each is to go. The result is an ordinary plan; its steps
// belong together (OfflineBlocks::all_or_nothing), because a device goes as a whole or not at all.
//
// Sources: Documentation/admin-guide/mm/memory-hotplug.rst, "Offlining Memory Blocks"; mm/
// memory_hotplug.c, offline_pages(): one zone, no holes (5.5), isolation; drivers/base/memory.c.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "compiler/base/result.hpp"
#include "compiler/diag/diagnostic.hpp"
#include "compiler/model/host.hpp"
#include "compiler/plan/plan.hpp"

namespace memonline::plan {

/// So much memory, wherever it goes most easily.
struct UnplugSize {
  model::Bytes bytes;
  std::optional<model::NodeId> node;
  friend bool operator==(const UnplugSize&, const UnplugSize&) = default;
};
/// All blocks of a device: "dimm1".
struct UnplugDimm {
  std::uint32_t number = 0;
  friend bool operator==(const UnplugDimm&, const UnplugDimm&) = default;
};
/// These blocks, both ends included.
struct UnplugBlocks {
  model::BlockId first;
  model::BlockId last;
  friend bool operator==(const UnplugBlocks&, const UnplugBlocks&) = default;
};
using UnplugRequest = std::variant<UnplugSize, UnplugDimm, UnplugBlocks>;

/// SIZE[@nodeN] | dimmN | memoryA[-B]; otherwise a sentence that says what is wrong.
Result<UnplugRequest, std::string> parse_unplug(std::string_view text);

/// How likely a block is to go offline.
enum class Chance : std::uint8_t {
  Gone,      ///< offline already: nothing to do
  Likely,    ///< Movable, and came while the kernel ran
  Maybe,     ///< Movable boot memory: boot allocations may lie in it; or nobody told the zone
  Unlikely,  ///< a kernel zone: only while nothing lasting is in it
  Never,     ///< several zones or nodes, a hole, boot memory of arm64, no hot-remove
};
std::string_view chance_name(Chance chance);

struct Prospect {
  Chance chance = Chance::Never;
  std::string why;
};
Prospect prospect_of(const model::Host& host, const model::BlockRun& run);

/// The blocks least likely to go come first, so that little is taken offline in vain; among equals
/// downwards. A size is served by what is offline already, then by what goes most easily, memory
/// that was hot-added before boot memory, the highest addresses first. Empty, with a diagnostic
/// (ML0540, 0542, 0543), where it cannot be done.
std::optional<Plan> plan_unplug(const UnplugRequest& request, const model::Host& host,
                                diag::Sink& sink);

}  // namespace memonline::plan
