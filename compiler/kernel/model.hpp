// SPDX-License-Identifier: LGPL-2.1-or-later
// The kernel model: a kernel as far as memory onlining goes. Give it a host, write to it what one
// would write to sysfs, and it answers as the kernel of that era would: the zone each block gets,
// or the refusal; and what every `valid_zones` and every zone span says afterwards. Every plan is
// proved on it before it is shown.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "compiler/base/result.hpp"
#include "compiler/kernel/memory_state.hpp"
#include "compiler/model/write.hpp"

namespace memonline::kernel {

enum class Errno : std::uint8_t { Einval, Eperm, Eexist, Enoent, Ebusy };
std::string_view errno_name(Errno error);

/// A write that fails: at which block, with what, by which rule.
struct Refusal {
  Errno error = Errno::Einval;
  model::BlockId block;
  std::string why;
  std::optional<model::BlockId> in_the_way;  ///< the block that would have to change first
};

/// Blocks of one write run that ended up in one zone, in the order of the writes.
struct Placed {
  model::WriteRun blocks;
  model::Zone zone = model::Zone::Normal;
};

class Model {
 public:
  explicit Model(const model::Host& host);

  /// Writes `word` into the `state` of every block of the run, in its direction. On a refusal the
  /// blocks before the refused one are online and stay so, as they would be.
  Result<std::vector<Placed>, Refusal> online(model::WriteRun run, model::OnlineWord word);
  /// Writes `offline`. Whether pages can be migrated away is not modeled; zone rules are.
  Result<model::WriteRun, Refusal> offline(model::WriteRun run);
  /// Knobs that decide zones: online_policy, auto_movable_ratio, auto_movable_numa_aware;
  /// auto_online_blocks is remembered for host(). EINVAL for a value the kernel does not take.
  Result<std::monostate, Refusal> set_knob(model::Knob knob, const std::string& value);
  /// Hot-adds blocks, offline, without onlining them. `device` indexes devices().
  Result<std::monostate, Refusal> add(model::BlockId first, std::uint64_t count, model::NodeId node,
                                      std::uint32_t device);
  /// Removes offline blocks.
  Result<std::monostate, Refusal> remove(model::BlockId first, std::uint64_t count);
  std::uint32_t add_device(model::Device device);
  /// Writes 1 into `config` of standby memory, from the lowest block up: adds it, and onlines it if
  /// auto_online_blocks says so. Blocks that are configured stay as they are. For a block of a dax
  /// device, binds the whole device to kmem. (configure.cpp)
  Result<std::monostate, Refusal> configure(model::WriteRun run);
  /// Writes 0: removes offline blocks, which become standby memory again. For a block of a dax
  /// device, unbinds the device from kmem if all of its blocks are offline.
  Result<std::monostate, Refusal> deconfigure(model::WriteRun run);

  /// The present `valid_zones` of the block; Unknown for a block that does not exist.
  [[nodiscard]] model::ValidZones valid_zones(model::BlockId block) const;
  /// The host as a reader would find it now.
  [[nodiscard]] model::Host host() const;
  [[nodiscard]] const MemoryState& state() const { return state_; }
  [[nodiscard]] const model::Knobs& knobs() const { return base_.knobs; }

 private:
  [[nodiscard]] model::ValidZones zones_of(const StateRun& run, std::uint64_t block) const;
  [[nodiscard]] Result<std::monostate, Refusal> present(const model::BlockRange& blocks) const;
  [[nodiscard]] Result<std::monostate, Refusal> all_offline(const model::BlockRange& blocks) const;
  Result<std::monostate, Refusal> online_by_setting(const model::BlockSet& added);
  Result<std::monostate, Refusal> bind(const std::string& dax);
  Result<std::monostate, Refusal> unbind(const std::string& dax);
  void place(std::uint64_t first, std::uint64_t count, model::Zone zone);
  void shrink(NodeState& node, model::NodeId id, model::Zone zone, PageRange gone);

  model::Host base_;
  MemoryState state_;
};

}  // namespace memonline::kernel
