// SPDX-License-Identifier: LGPL-2.1-or-later
// What did not go as it should, until it does: blocks that were refused, and rounds that came to
// nothing because a journal could not be written, or sysfs not be opened. Says when it is tried
// again.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "runtime/service/backoff.hpp"
#include "runtime/service/view.hpp"

namespace memonline::service {

class Troubles {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// After a round that was to write: it knows all there is. With `anew`, memory came, and the
  /// pauses begin small again.
  void wrote(std::vector<Failing> failing, std::string problem, bool anew, Time now);
  /// After one that only looked. It has tried no block, so what failed stays, and stays due.
  void looked(std::string problem, Time now);
  /// A round begins that tries again what is due, if it may write.
  void trying(bool writes);

  [[nodiscard]] const std::vector<Failing>& failing() const { return failing_; }
  /// For people; empty: none.
  [[nodiscard]] const std::string& problem() const {
    return unwritten_.empty() ? unlooked_ : unwritten_;
  }
  [[nodiscard]] bool any() const { return is_written() || !unlooked_.empty(); }
  /// Whether it takes a round that writes to try again; another look is enough otherwise.
  [[nodiscard]] bool is_written() const { return !failing_.empty() || !unwritten_.empty(); }
  [[nodiscard]] std::optional<Time> retry_at() const { return retry_at_; }

 private:
  std::vector<Failing> failing_;
  std::string unwritten_, unlooked_;  ///< why the last round of either kind came to nothing
  Backoff backoff_;
  std::optional<Time> retry_at_;
};

}  // namespace memonline::service
