// SPDX-License-Identifier: LGPL-2.1-or-later
// CLOCK_BOOTTIME: time since boot, including the time in suspend. For time limits that are shown to
// people.
#pragma once

#include <chrono>
#include <ctime>

namespace memonline::runtime {

struct BootClock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<BootClock>;
  static constexpr bool is_steady = true;  // NOLINT: the standard names it
  static time_point now() {
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    return time_point(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
  }
};

}  // namespace memonline::runtime
