// SPDX-License-Identifier: LGPL-2.1-or-later
// The one thread that everything but writing happens on: bus, kernel events, signals, timers.
#pragma once

#include <memory>

#include "dbus/compat.hpp"
#include "dbus/front.hpp"

namespace memonline::bus {

/// SIGHUP, SIGTERM and SIGINT become events of the loop. Before the first thread begins.
void block_signals();

/// Runs until SIGTERM or SIGINT (0), or until the bus goes away (1).
int run_loop(sdbus::IConnection& connection, service::Service& service, const Log& log);

}  // namespace memonline::bus
