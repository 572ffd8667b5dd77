// SPDX-License-Identifier: LGPL-2.1-or-later
// `apply --confirm`: waiting for a person to say that the machine is still well.
#pragma once

#include <chrono>
#include <csignal>
#include <string>

#include "runtime/apply/run_directory.hpp"

namespace memonline::cli {

/// Says how it is confirmed; `keyboard`: Enter here does it, too.
void ask_for_confirmation(std::chrono::milliseconds time, bool keyboard);
/// Whether a line was entered within `wait`. A terminal that has gone away says nothing any more.
bool entered(bool& keyboard, std::chrono::milliseconds wait);

/// Waits for Enter on a terminal or for `memonline confirm` elsewhere. False when the time is over
/// or a signal asked to stop.
bool wait_for_confirmation(const apply::RunDirectory& directory, const std::string& run,
                           std::chrono::milliseconds time, const volatile std::sig_atomic_t* stops);

}  // namespace memonline::cli
