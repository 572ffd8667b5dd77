// SPDX-License-Identifier: LGPL-2.1-or-later
// Blocks that are not as the policy wants them because somebody made them so: taken offline by
// another agent or by a client's job, or brought online by another agent in the wrong zone. Those
// taken offline are written down in /run/memonline/left-alone: a service that is started anew must
// not bring back what somebody is about to pull out.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "compiler/plan/drift.hpp"
#include "runtime/service/kept_lines.hpp"

namespace memonline::service {

model::BlockSet online_blocks(const model::Host& host);
/// Of the blocks that were online, those that are offline in `now`.
model::BlockSet taken_offline(const model::BlockSet& online_before, const model::Host& now);

class LeftAlone {
 public:
  enum class By : std::uint8_t { Others, Job };

  /// `file` need not exist; what it says of another boot is nothing.
  LeftAlone(std::string file, std::string boot);

  void took_offline(model::BlockId block, By by);
  /// By others. Whether the policy minds is told by `look_at`.
  void brought_online(model::BlockId block);
  /// Nothing of it holds any more; true where it was left offline.
  bool forget(model::BlockId block);

  /// What has been noted up to now has a lower number than what will be.
  [[nodiscard]] std::uint64_t mark() const { return count_; }
  /// Forgets what was noted before `mark` and is not so on `host`, which was looked at after it:
  /// events may have been lost. True where there was such a block.
  bool compare(const model::Host& host, std::uint64_t mark);
  /// Of the blocks that others brought online before `mark`, keeps those that drift; what is new
  /// of it, a sentence each.
  std::vector<std::string> look_at(const std::vector<plan::StatusRun>& runs, std::uint64_t mark);

  /// Those that a plan has to keep as they are.
  [[nodiscard]] model::BlockSet offline() const { return ranges(nullptr); }
  /// The same where others' changes are corrected.
  [[nodiscard]] model::BlockSet offline_by_jobs() const;
  /// For people. Of what jobs took offline, only what is in `missed`: the policy may not want it.
  [[nodiscard]] std::vector<std::string> sentences(const model::BlockSet& missed) const;

  /// Writes down what has changed, if anything has.
  Result<std::string, runtime::FileError> save();

 private:
  struct Offline {
    By by = By::Others;
    std::uint64_t number = 0;
  };
  [[nodiscard]] model::BlockSet ranges(const By* by) const;
  void load();

  std::string file_, boot_;
  std::map<std::uint64_t, Offline> offline_;
  struct Online {
    std::string zone;  ///< once it is known to be wrong
    std::uint64_t number = 0;
  };
  std::map<std::uint64_t, Online> online_;
  std::uint64_t count_ = 0;
  bool changed_ = false;
};

}  // namespace memonline::service
