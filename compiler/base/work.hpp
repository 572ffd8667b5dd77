// SPDX-License-Identifier: LGPL-2.1-or-later
// The work that one request may cost, in counted steps of the algorithms: the same text and host
// always cost the same, on every machine. Stages count what they are about to do and end early once
// the budget is spent; whoever made the budget reports it.
#pragma once

#include <cstdint>
#include <limits>

namespace memonline {

class Work {
 public:
  /// Without a bound: only counts.
  Work() = default;
  explicit Work(std::uint64_t most) : most_(most) {}

  /// Counts; false once more was counted than there may be.
  bool spend(std::uint64_t steps) {
    constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
    spent_ = steps < kMax - spent_ ? spent_ + steps : kMax;
    return !exhausted();
  }
  [[nodiscard]] bool exhausted() const { return spent_ > most_; }
  [[nodiscard]] std::uint64_t spent() const { return spent_; }
  [[nodiscard]] std::uint64_t most() const { return most_; }

 private:
  std::uint64_t most_ = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t spent_ = 0;
};

}  // namespace memonline
