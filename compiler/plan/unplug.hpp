// SPDX-License-Identifier: LGPL-2.1-or-later
// What must go offline so that memory can be taken out of a host: which blocks, in which order,
// what stands in the way, and how likely each is to go. The result is an ordinary plan; its steps
// belong together (OfflineBlocks::all_or_nothing), because a device goes as a whole or not at all.
// What must move for it has to fit elsewhere (plan/room.hpp).
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

/// What is to be unplugged: all blocks that a selector of the language selects, or so much of them,
/// wherever it goes most easily. Without a selector: of all memory.
struct UnplugRequest {
  std::optional<model::Bytes> size;
  std::optional<sema::Selector> selector;
  std::string device;    ///< "virtio0": of the selected blocks only this device's; empty: all
  std::string selected;  ///< the selector as the language writes it
};

/// SIZE [of SELECTOR], SIZE@nodeN, SELECTOR, memoryA[-B], virtioN; otherwise a sentence that says
/// what is wrong.
Result<UnplugRequest, std::string> parse_unplug(std::string_view text);
/// The blocks of a request that names one range of them: "memory32-39".
std::optional<std::pair<model::BlockId, model::BlockId>> block_range(const UnplugRequest& request);

/// The devices of the host that can be named, for messages and completion: "dimm0", "dax0.0".
std::vector<std::string> removable_devices(const model::Host& host);

/// The blocks least likely to go come first, so that little is taken offline in vain; among equals
/// downwards. A size is served by what is offline already, then by what goes most easily, memory
/// that was hot-added before boot memory, the highest addresses first. Empty, with a diagnostic
/// (ML0540, 0542, 0543, 0544), where it cannot be done.
std::optional<Plan> plan_unplug(const UnplugRequest& request, const model::Host& host,
                                diag::Sink& sink);
/// The longest request that is read, in bytes.
inline constexpr std::size_t kMaxRequestText = 4096;

}  // namespace memonline::plan
