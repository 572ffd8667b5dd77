// SPDX-License-Identifier: LGPL-2.1-or-later
// The work that one request may cost, in counted steps of the algorithms: the same text and host
// always cost the same, on every machine. Stages count what they are about to do and end early once
// the budget is spent or the request is cancelled; the maker of the budget reports which.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <utility>

namespace memonline {

/// Whether the result is not wanted any more. Asked between steps; empty: it always is.
using Cancelled = std::function<bool()>;

class Work {
 public:
  /// Without a bound: only counts.
  Work() = default;
  explicit Work(std::uint64_t most, Cancelled ask = {}) : most_(most), ask_(std::move(ask)) {}

  /// Counts; false once more was counted than there may be, or the work was cancelled.
  bool spend(std::uint64_t steps) {
    constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
    spent_ = steps < kMax - spent_ ? spent_ + steps : kMax;
    if (ask_ && !cancelled_ && spent_ >= ask_at_) {
      ask_at_ = spent_ + kStepsBetween;
      cancelled_ = ask_();
    }
    return !exhausted();
  }
  [[nodiscard]] bool exhausted() const { return cancelled_ || spent_ > most_; }
  [[nodiscard]] bool cancelled() const { return cancelled_; }
  [[nodiscard]] std::uint64_t spent() const { return spent_; }
  [[nodiscard]] std::uint64_t most() const { return most_; }

 private:
  // Less than a millisecond's work.
  static constexpr std::uint64_t kStepsBetween = 1U << 12U;

  std::uint64_t most_ = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t spent_ = 0;
  std::uint64_t ask_at_ = 0;
  Cancelled ask_;
  bool cancelled_ = false;
};

}  // namespace memonline
