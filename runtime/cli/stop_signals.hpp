// SPDX-License-Identifier: LGPL-2.1-or-later
// Counts SIGINT and SIGTERM: the number of stop requests.
#pragma once

#include <csignal>

namespace memonline::cli {

/// From now on SIGINT and SIGTERM are counted; a third one ends the program at once, as by default
/// (the journal is then left for the next run). SIGHUP, a lost terminal, is ignored: `--confirm`
/// exists for that case.
const volatile std::sig_atomic_t* count_stop_signals();

}  // namespace memonline::cli
