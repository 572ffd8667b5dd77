// SPDX-License-Identifier: LGPL-2.1-or-later
// The pause before a retry: a second, then twice as long each time, a minute at most, for as long
// as there is something to retry.
#pragma once

#include <algorithm>
#include <chrono>

namespace memonline::service {

class Backoff {
 public:
  static constexpr std::chrono::milliseconds kFirst{1000}, kMaxPause{60000};

  /// The pause before the next retry.
  std::chrono::milliseconds next() {
    const auto pause = pause_;
    pause_ = std::min(pause_ * 2, kMaxPause);
    return pause;
  }
  void reset() { pause_ = kFirst; }

 private:
  std::chrono::milliseconds pause_ = kFirst;
};

}  // namespace memonline::service
