// SPDX-License-Identifier: LGPL-2.1-or-later
// The thread that does everything but writing and planning: bus, uevents, signals, timers.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "dbus/bus_listener.hpp"
#include "dbus/compat.hpp"

namespace memonline::bus {

/// SIGHUP, SIGTERM and SIGINT become events of the loop. Call it before the first thread starts.
void block_signals();

/// Exit status (EX_TEMPFAIL) if there was something to do after all: systemd restarts the service.
inline constexpr int kStartAgain = 75;
struct LoopEnd {
  int status = 0;      ///< of the process: 1 if the connection to the bus was lost
  bool rests = false;  ///< it ended because it was idle: the settings stay
};
/// Runs until SIGTERM or SIGINT, or until the connection to the bus is lost; with `exit_idle_time`
/// also until the service has been idle for that long, with no caller left on the bus. Then it has
/// released its name.
LoopEnd run_loop(sdbus::IConnection& connection, service::Service& service,
                 const BusListener& front, const Log& log,
                 std::optional<std::chrono::seconds> exit_idle_time);
/// Call it before the objects are removed: a client that reacts to the removal with a call would
/// make the bus start the service again.
void give_up_name(sdbus::IConnection& connection);
inline constexpr auto kBusName = "org.memonline1";

}  // namespace memonline::bus
