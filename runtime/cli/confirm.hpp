// SPDX-License-Identifier: LGPL-2.1-or-later
// `apply --confirm`: waiting for a person to say that the machine is still well.
#pragma once

#include <chrono>
#include <csignal>
#include <cstdint>
#include <string>

#include "runtime/apply/run_directory.hpp"

namespace memonline::cli {

/// Says how it is confirmed; `keyboard`: Enter here does it, too.
void ask_for_confirmation(std::chrono::milliseconds time, bool keyboard);
/// Whether a line was entered within `wait`. A terminal that has gone away says nothing any more.
bool entered(bool& keyboard, std::chrono::milliseconds wait);

enum class Word : std::uint8_t {
  Confirmed,
  Missing,    ///< the time is over, or a signal asked to stop
  GoingDown,  ///< the same, because the machine goes down: nothing is to be reverted any more
};
/// Waits for Enter on a terminal or for `memonline confirm` elsewhere. Time goes on while the
/// machine is suspended.
Word wait_for_confirmation(const apply::RunDirectory& directory, const std::string& run,
                           std::chrono::milliseconds time, const volatile std::sig_atomic_t* stops);

}  // namespace memonline::cli
