// SPDX-License-Identifier: LGPL-2.1-or-later
// Failures until a retry works: of blocks, and of rounds that could not write the recovery journal
// or open sysfs. Determines when to retry.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "runtime/service/backoff.hpp"
#include "runtime/service/view.hpp"

namespace memonline::service {

/// The blocks that failed after all attempts of the last of these runs, for a later retry.
std::vector<Failing> failing_in(const std::vector<apply::Report>& reports);

class Troubles {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// After a round that could write: its failures replace all others. With `anew`, memory was
  /// added, and the pauses start small again.
  void wrote(std::vector<Failing> failing, std::string problem, bool anew, Time now);
  /// After one that only scanned. It has tried no block, so failures stay, and stay due.
  void looked(std::string problem, Time now);
  /// A round starts; if it may write, it retries what is due.
  void trying(bool writes);

  [[nodiscard]] const std::vector<Failing>& failing() const { return failing_; }
  /// For people; empty: none.
  [[nodiscard]] const std::string& problem() const {
    return unwritten_.empty() ? unlooked_ : unwritten_;
  }
  [[nodiscard]] bool any() const { return is_written() || !unlooked_.empty(); }
  /// Whether a retry needs a round that writes; otherwise another scan suffices.
  [[nodiscard]] bool is_written() const { return !failing_.empty() || !unwritten_.empty(); }
  [[nodiscard]] std::optional<Time> retry_at() const { return retry_at_; }

 private:
  std::vector<Failing> failing_;
  std::string unwritten_, unlooked_;  ///< why the last round of either kind failed
  Backoff backoff_;
  std::optional<Time> retry_at_;
};

}  // namespace memonline::service
