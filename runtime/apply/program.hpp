// SPDX-License-Identifier: LGPL-2.1-or-later
// A program is what the executor carries out: flat, complete and made before the first write, so
// that nothing has to be allocated afterwards. It is made from a plan, or from a journal (to undo).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/model/host.hpp"
#include "compiler/plan/plan.hpp"

namespace memonline::apply {

struct Task {
  enum class Kind : std::uint8_t {
    Online,
    Offline,
    Configure,
    Deconfigure,
    SetKnob,
    Probe,
    Reclaim,
    None
  };
  static constexpr bool is_of_blocks(Kind kind) { return kind <= Kind::Deconfigure; }
  Kind kind = Kind::None;
  std::uint32_t step = 0;  ///< number of the plan's step, 0: the executor's own
  model::OnlineWord word = model::OnlineWord::Online;
  model::WriteRun blocks;  ///< in the order of the writes
  /// Online: predicted; Offline: where they are now; Configure: where they will be onlined.
  model::Zone zone = model::Zone::Normal;
  std::optional<model::NodeId> node;
  /// Online: an earlier task offlines these blocks, which were in this zone; if onlining them
  /// fails for good, they are re-onlined there.
  std::optional<model::Zone> taken_from;
  /// Offline, of an unplug: if one of these tasks fails, the blocks of all are re-onlined.
  bool all_or_nothing = false;
  /// Offline: the most bytes that may be in use in one of its blocks.
  std::uint64_t moves = 0;
  bool configured_first = false;  ///< Online: an earlier task configures some of these blocks
  std::optional<bool> own_map;  ///< Configure: what `memmap_on_memory` has to say; empty: anything
  std::string device;           ///< Configure, Deconfigure: the dax device; empty: standby memory
  model::Knob knob = model::Knob::AutoOnlineBlocks;  ///< SetKnob: the setting, and its value
  std::string value;
  bool put_back = false;  ///< a setting that is put back: done however the run ends
  /// Put back: the value that this run set; another process set any other one. Empty: any value.
  std::string held;
  /// Put back: the task that sets the setting permanently; once it is done, this one is skipped.
  std::optional<std::size_t> unless;
  std::uint64_t address = 0;
  plan::Reclaim reclaim = plan::Reclaim::PageCache;
  std::string rule;              ///< "last 80% movable", for reports
  std::string why_not;           ///< None: why there is nothing to write
  std::size_t first_result = 0;  ///< of blocks.count() results, one for other kinds
  [[nodiscard]] bool writes_blocks() const { return is_of_blocks(kind); }
  [[nodiscard]] bool configures() const {
    return kind == Kind::Configure || kind == Kind::Deconfigure;
  }
  [[nodiscard]] std::uint64_t count() const { return writes_blocks() ? blocks.count() : 1; }
  [[nodiscard]] model::BlockId block(std::uint64_t i) const {
    return blocks.descending() ? blocks.first - i : blocks.first + i;
  }
};

struct Program {
  std::vector<Task> tasks;
  std::size_t results = 0;   ///< how many results the tasks need
  std::uint64_t blocks = 0;  ///< writes of blocks, of all tasks
  std::uint64_t block_size = 0;
  bool ordered = false;  ///< eras A and B: a block depends on those before it in its range
  std::optional<model::BlockId> online_block;  ///< for MemoryPort::wait_for_adds
};

/// The plan's steps, then tasks that put back the settings changed for the run only.
Program program_of(const plan::Plan& plan, const model::Host& host);

/// The state of blocks before a run.
struct BlocksBefore {
  model::BlockId first, last;
  bool online = false;
  std::optional<model::Zone> zone;  ///< of online blocks; empty: several, or unknown
  std::optional<model::NodeId> node;
  bool configured = true;  ///< false: memory without blocks
  /// Of memory without blocks, before or after: the dax device. Empty: standby memory, or a DIMM.
  std::string device = {};
  friend bool operator==(const BlocksBefore&, const BlocksBefore&) = default;
};

/// The blocks that the plan's steps touch, as `host` shows them, ascending.
std::vector<BlocksBefore> blocks_before(const plan::Plan& plan, const model::Host& host);

struct KnobBefore {
  model::Knob knob = model::Knob::AutoOnlineBlocks;
  std::string before;
  std::string during;  ///< what the plan sets it to last
  bool stays = false;  ///< the plan keeps `during`
  std::string held;    ///< its value for the run, before that; empty: none
  /// The value that must not outlive the run; empty: none.
  [[nodiscard]] const std::string& for_the_run() const { return stays ? held : during; }
  friend bool operator==(const KnobBefore&, const KnobBefore&) = default;
};
std::vector<KnobBefore> knobs_before(const plan::Plan& plan);

/// Restores the state before: offlines Movable first, deconfigures or configures standby memory
/// and releases dax devices, then re-onlines blocks in their zones, and puts back the settings
/// last.
Program program_to_undo(const std::vector<BlocksBefore>& blocks,
                        const std::vector<KnobBefore>& knobs, const model::Host& now);

/// Steps of the plan that may be impossible to undo, a sentence each: reported before the first
/// write.
std::vector<std::string> irreversible(const plan::Plan& plan, const model::Host& host);

}  // namespace memonline::apply
