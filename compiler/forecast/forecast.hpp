// SPDX-License-Identifier: LGPL-2.1-or-later
// Predicts a hot-add: whether its memory map fits, at which device the kernel runs out of memory,
// what would help, and the zones that result from the policy. Devices are added one after the
// other: memory of one that becomes kernel memory can hold the memory map of the next.
//
// All amounts are bytes. The rules, and where they are from:
// - Adding takes 64 bytes a page (struct page, include/linux/mm_types.h) out of free kernel memory,
//   before any of the new memory is online (mm/memory_hotplug.c, add_memory_resource()); besides
//   the page tables of the direct map, 8 bytes for each huge page, and the device of each block.
//   Onlining needs no significant amount.
// - With memory_hotplug.memmap_on_memory some memory holds its own map (plan/sources.hpp).
// - DIMMs and dax devices are added as a whole; virtio-mem, Hyper-V, Xen and DLPAR add a little at
// a
//   time, and continue when that is online.
// - Memory onlined in a kernel zone is free kernel memory from then on, Movable is not.
// - Where the kernel onlines by itself, within the add, it does so in ascending order, and after
//   each block walks the zone from its start to see whether it has holes (move_pfn_range_to_zone(),
//   set_zone_contiguous()): without any, the time grows with the square of the blocks, and every
//   other write to a block waits. User space picks an order that leaves a hole.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/base/result.hpp"
#include "compiler/base/work.hpp"
#include "compiler/diag/diagnostic.hpp"
#include "compiler/model/host.hpp"
#include "compiler/plan/plan.hpp"
#include "compiler/plan/sources.hpp"
#include "compiler/sema/policy.hpp"
#include "compiler/source/source.hpp"

namespace memonline::forecast {

inline constexpr std::string_view kForecastSchema = "memonline.forecast/1";

/// A zone without holes of more blocks than this is slow to online in ascending order. In a
/// guest without hardware acceleration 6.12 had 1,043 of 4,096 blocks of 128 MiB online after 176
/// s, 1,724 after 419 s; all 4,096 after 56 s (7.2: 40 s) where the zone had a hole at its
/// beginning.
inline constexpr std::uint64_t kQuickBlocks = 1024;
/// More devices than any machine has slots for.
inline constexpr std::uint64_t kMaxDevices = 512;
/// Steps of work that a forecast may take with all the plans that it makes.
inline constexpr std::uint64_t kMaxForecastWork = std::uint64_t{1} << 29U;

struct AddRequest {
  model::Bytes bytes;
  std::optional<model::NodeId> node;
  std::optional<model::Bytes> dimm;  ///< the size of each device; empty: one device
  friend bool operator==(const AddRequest&, const AddRequest&) = default;
};

/// SIZE[@nodeN][,dimm=SIZE]; otherwise a sentence that says what is wrong.
Result<AddRequest, std::string> parse_add(std::string_view text);

/// The free kernel memory that adding a device of so many blocks needs.
model::Bytes cost_of_adding(const model::Host& host, plan::Source source, std::uint64_t blocks);
/// Whether these blocks, the next to be added, hold their own memory map. Of standby memory each
/// block has a file that decides (memmap_on_memory).
bool next_hold_own_map(const model::Host& host, plan::Source source, std::uint64_t blocks);

/// One device as it comes.
struct Device {
  std::uint64_t number = 0;  ///< from 1
  std::uint64_t blocks = 0;
  model::Bytes needed;  ///< free kernel memory taken at the add
  model::Bytes free;    ///< what there is before it
  model::Bytes normal;  ///< of it onlined in kernel zones
  model::Bytes movable;
};

/// Blocks of the new memory that end up alike. Their numbers are those they would have right above
/// what is there; firmware may place them elsewhere.
struct NewRun {
  model::BlockRange blocks;
  std::optional<model::NodeId> node;
  std::optional<model::Zone> zone;  ///< empty: offline
  friend bool operator==(const NewRun&, const NewRun&) = default;
};

/// Something that was tried on the model and makes it fit.
struct Remedy {
  enum class Kind : std::uint8_t { MemmapOnMemory, Slices, BootMemory };
  Kind kind = Kind::MemmapOnMemory;
  model::Bytes bytes;        ///< Slices: the size of each; BootMemory: how much more
  std::uint64_t normal = 0;  ///< Slices: blocks of each that the kernel gets first
  bool by_service = false;   ///< user space onlines it
  std::string text;          ///< for people
  friend bool operator==(const Remedy&, const Remedy&) = default;
};
std::string_view remedy_name(Remedy::Kind kind);

/// As JSON, the member "forecast" beside those of the plan:
///   { "schema": "memonline.forecast/1", "bytes": 4398046511104, "source": "dimm", "node": 0,
///     "devices": 1,
///     "device_bytes": 4398046511104, "memmap_on_memory": false, "fits": false, "ends_at": 1,
///     "needed": 68838293504, "free": 7516192768, "lowest_free": 7516192768, "slow_blocks":
///     null, "remedies": [ { "kind": "slices", "bytes": 274877906944, "normal_blocks": 64,
///                     "by_service": true, "text": "…" } ],
///     "by": "kernel", "new_blocks": [ { "blocks": [64, 127], "node": 0, "zone": "Movable" } ] }
/// `needed` and `free` are those of the device where it ends, else of the last one;
/// `slow_blocks` is the number of blocks of one zone that the kernel onlines by itself if that is
/// slow, or null; `zone` is null for blocks that stay offline. Blocks from `ends_at` on are not
/// included.
struct Forecast {
  AddRequest request;
  plan::Source source = plan::Source::Dimm;
  model::NodeId node;
  model::Bytes device_bytes;  ///< of each device, or of each step of a source that goes in steps
  std::uint64_t device_count = 0;
  bool own_map = false;
  std::vector<Device> devices;           ///< up to the one where it ends
  std::optional<std::uint64_t> ends_at;  ///< the device that does not fit; empty: all do
  model::Bytes lowest_free;              ///< the least there is after any add
  /// Blocks of a zone without holes that the kernel onlines by itself in ascending order, if more
  /// than kQuickBlocks.
  std::optional<std::uint64_t> slow_blocks;
  std::vector<Remedy> remedies;
  plan::Onliner by = plan::Onliner::Kernel;  ///< what onlines it
  plan::RuleRef rule;
  std::vector<NewRun> runs;
  [[nodiscard]] bool fits() const { return !ends_at; }
};

/// Starts from the host as the policy's plan leaves it. Empty, with a diagnostic, if no prediction
/// is possible (ML0551, 0552) or the policy cannot be applied (ML0554). Memory that does not fit is
/// ML0550, with a forecast.
std::optional<Forecast> make_forecast(const sema::Policy& policy, const source::SourceSet& files,
                                      const model::Host& host, const AddRequest& request,
                                      diag::Sink& sink, const Cancelled& cancelled = {});

}  // namespace memonline::forecast
