// SPDX-License-Identifier: LGPL-2.1-or-later
// The blocks to offline so that memory can be unplugged: which blocks, in which order, obstacles,
// and the chance of each. The result is an ordinary plan; its steps belong together
// (OfflineBlocks::all_or_nothing), because a device can only be unplugged as a whole. The pages in
// use must fit elsewhere (plan/room.hpp).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "compiler/base/result.hpp"
#include "compiler/diag/diagnostic.hpp"
#include "compiler/model/host.hpp"
#include "compiler/plan/plan.hpp"
#include "compiler/plan/prospect.hpp"
#include "compiler/plan/select.hpp"
#include "compiler/sema/policy.hpp"

namespace memonline::plan {

/// The memory to unplug: all blocks that a selector of the language selects, or an amount of them,
/// the easiest to offline first. Without a selector: of all memory.
struct UnplugRequest {
  std::optional<model::Bytes> size;
  std::optional<sema::Selector> selector;
  std::string device;    ///< "virtio0": of the selected blocks only this device's; empty: all
  std::string selected;  ///< the selector as the language writes it
  bool release = false;  ///< finally eject, unbind or deconfigure the offlined memory
  bool reclaim = false;  ///< before blocks of kernel zones: reclaim and compact all memory
};

/// SIZE [of SELECTOR], SIZE@nodeN, SELECTOR, memoryA[-B], virtioN; otherwise an error message.
Result<UnplugRequest, std::string> parse_unplug(std::string_view text);
/// The blocks of a request that names one range of them: "memory32-39".
std::optional<model::BlockRange> block_range(const UnplugRequest& request);

/// The devices of the host that can be named, for messages and completion: "dimm0", "dax0.0".
std::vector<std::string> removable_devices(const model::Host& host);

/// The online blocks that the request can take, those first that are the easiest to offline: whose
/// contents to read before planning.
std::vector<model::BlockRange> blocks_to_judge(const UnplugRequest& request,
                                               const model::Host& host);

/// The least likely blocks come first, so that few blocks are offlined without success; among
/// equals from the top down. A size takes the blocks that easiest() (plan/candidates.hpp)
/// chooses. Empty, with a
/// diagnostic (ML0540, 0542, 0543, 0544), if it is impossible.
std::optional<Plan> plan_unplug(const UnplugRequest& request, const model::Host& host,
                                diag::Sink& sink);
/// The longest request that is read, in bytes.
inline constexpr std::size_t kMaxRequestText = 4096;

}  // namespace memonline::plan
