// SPDX-License-Identifier: LGPL-2.1-or-later
// The one thread that everything but writing happens on: bus, kernel events, signals, timers.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "dbus/compat.hpp"
#include "dbus/front.hpp"

namespace memonline::bus {

/// SIGHUP, SIGTERM and SIGINT become events of the loop. Before the first thread begins.
void block_signals();

/// Exit status (EX_TEMPFAIL) where there was something to do after all: systemd starts it again.
inline constexpr int kStartAgain = 75;
struct LoopEnd {
  int status = 0;      ///< of the process: 1 when the bus went away
  bool rests = false;  ///< it ended because it was idle: the settings are to stay
};
/// Runs until SIGTERM or SIGINT, or until the bus goes away; with `exit_idle_time` also until the
/// service has been idle for so long, with no caller left on the bus. Then it has
/// given up its name.
LoopEnd run_loop(sdbus::IConnection& connection, service::Service& service, const Front& front,
                 const Log& log, std::optional<std::chrono::seconds> exit_idle_time);
/// Before the objects go: a client that answers to their going with a question would have the bus
/// start the service again.
void give_up_name(sdbus::IConnection& connection);
inline constexpr auto kBusName = "org.memonline1";

}  // namespace memonline::bus
