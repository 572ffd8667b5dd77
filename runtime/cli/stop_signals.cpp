// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/cli/stop_signals.hpp"

namespace memonline::cli {

namespace {

volatile std::sig_atomic_t stops = 0;

void count(int signal) {
  stops = stops + 1;
  if (stops < 3) return;
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

}  // namespace

const volatile std::sig_atomic_t* count_stop_signals() {
  struct sigaction action {};
  action.sa_handler = count;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGHUP, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
  return &stops;
}

}  // namespace memonline::cli
