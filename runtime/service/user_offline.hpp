// SPDX-License-Identifier: LGPL-2.1-or-later
// Blocks that differ from the policy on purpose: offlined by another process or by a client's job,
// or onlined by another process in the wrong zone. The offlined ones are saved in
// /run/memonline/left-alone: a restarted service must not online memory that is about to be
// unplugged.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "compiler/plan/drift.hpp"
#include "runtime/service/kept_lines.hpp"

namespace memonline::service {

model::BlockSet online_blocks(const model::Host& host);
/// Of the blocks that were online, those that are offline in `now`, or whose memory waits there to
/// be configured or bound again.
model::BlockSet taken_offline(const model::BlockSet& online_before, const model::Host& now);

class UserOffline {
 public:
  enum class By : std::uint8_t { Others, Job };

  /// `file` need not exist; the contents of another boot are ignored.
  UserOffline(std::string file, std::string boot);

  void took_offline(model::BlockId block, By by);
  /// By another process. `look_at` determines whether that is drift.
  void brought_online(model::BlockId block);
  /// Removes all records of the block; true if it was left offline.
  bool forget(model::BlockId block);

  /// The number of the last record; later records have higher numbers.
  [[nodiscard]] std::uint64_t mark() const { return count_; }
  /// Removes records up to `mark` that do not match `host`, which was read after it: uevents may
  /// have been lost. True if there was such a block.
  bool compare(const model::Host& host, std::uint64_t mark);
  /// Of the blocks that other processes onlined up to `mark`, keeps those that drift; returns the
  /// new ones, a sentence each.
  std::vector<std::string> look_at(const std::vector<plan::StatusRun>& runs, std::uint64_t mark);

  /// The blocks that a plan must leave offline.
  [[nodiscard]] model::BlockSet offline() const { return ranges(nullptr); }
  /// The same if changes by other processes are corrected.
  [[nodiscard]] model::BlockSet offline_by_jobs() const;
  /// For people. Of the blocks that jobs offlined, only those in `missed`: the policy may not
  /// online the others either.
  [[nodiscard]] std::vector<std::string> sentences(const model::BlockSet& missed) const;

  /// Writes the file if anything has changed.
  Result<std::string, runtime::FileError> save();

 private:
  struct Offline {
    By by = By::Others;
    std::uint64_t number = 0;
  };
  [[nodiscard]] model::BlockSet ranges(const By* by) const;
  void load();

  std::string file_, boot_;
  std::map<model::BlockId, Offline> offline_;
  struct Online {
    std::string zone;  ///< set once it is known to be wrong
    std::uint64_t number = 0;
  };
  std::map<model::BlockId, Online> online_;
  std::uint64_t count_ = 0;
  bool changed_ = false;
};

}  // namespace memonline::service
