// SPDX-License-Identifier: LGPL-2.1-or-later
// `apply --confirm`: waits for a person to confirm that the machine still works.
#pragma once

#include <chrono>
#include <csignal>
#include <cstdint>
#include <string>

#include "runtime/apply/run_directory.hpp"

namespace memonline::cli {

/// Prints how to confirm; `keyboard`: Enter also confirms.
void ask_for_confirmation(std::chrono::milliseconds time, bool keyboard);
/// Whether a line was entered within `wait`. Clears `keyboard` if the terminal is gone.
bool entered(bool& keyboard, std::chrono::milliseconds wait);

enum class Confirmation : std::uint8_t {
  Confirmed,
  Missing,    ///< the time is over, or a signal requested a stop
  GoingDown,  ///< the same, because the machine is shutting down: nothing is reverted
};
/// Waits for Enter on a terminal or for `memonline confirm` elsewhere. Time in suspend
/// counts.
Confirmation wait_for_confirmation(const apply::RunDirectory& directory, const std::string& run,
                                   std::chrono::milliseconds time,
                                   const volatile std::sig_atomic_t* stops);

}  // namespace memonline::cli
