// SPDX-License-Identifier: LGPL-2.1-or-later
// The zone of blocks that show none (no valid_zones before 3.18, or it could not be read), as far
// as the zones' spans in /proc/zoneinfo prove it.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/model/host.hpp"

namespace memonline::model {

/// Neighboring blocks of a run, between zone boundaries of its node.
struct ZonePart {
  BlockId first;
  std::uint64_t count = 1;
  /// One zone if it is proven; None where the block certainly spans several; else Unknown.
  ValidZones zones;
};

/// Cuts a run where a zone of its node begins or ends. A block that holds a boundary is a part of
/// its own. The zone is that of the pages: of an online block the zone it is in, of an offline one
/// the zone whose span covers it.
std::vector<ZonePart> zone_parts(const Host& host, const BlockRun& run);

/// Gives online blocks whose zones are unknown the zone that is proven, and cuts their runs.
void settle_zones(Host& host);

}  // namespace memonline::model
