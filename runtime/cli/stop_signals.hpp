// SPDX-License-Identifier: LGPL-2.1-or-later
// SIGINT and SIGTERM as a number that is looked at: how often somebody asked to stop.
#pragma once

#include <csignal>

namespace memonline::cli {

/// From now on SIGINT and SIGTERM are counted; a third one ends the program at once, as without us
/// (the journal is there then for the next run). SIGHUP, a terminal that went away, stops nothing:
/// `--confirm` is there for just that.
const volatile std::sig_atomic_t* count_stop_signals();

}  // namespace memonline::cli
