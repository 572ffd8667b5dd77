// SPDX-License-Identifier: LGPL-2.1-or-later
// libsystemd's bus client, loaded only before a call over the bus. If linked, it and its five
// libraries would keep 0.9 MiB resident in every run, also in the one at boot, before the bus
// exists.
#pragma once

#include <systemd/sd-bus.h>

namespace memonline::cli {

/// The functions that are used, typed and named by the library's own header.
struct BusLibrary {
  decltype(&::sd_bus_open_system) open_system = nullptr;
  decltype(&::sd_bus_new) create = nullptr;
  decltype(&::sd_bus_set_address) set_address = nullptr;
  decltype(&::sd_bus_start) start = nullptr;
  decltype(&::sd_bus_flush_close_unref) flush_close_unref = nullptr;
  decltype(&::sd_bus_add_match) add_match = nullptr;
  decltype(&::sd_bus_call) call = nullptr;
  decltype(&::sd_bus_call_method) call_method = nullptr;
  decltype(&::sd_bus_process) process = nullptr;
  decltype(&::sd_bus_wait) wait = nullptr;
  decltype(&::sd_bus_error_free) error_free = nullptr;
  decltype(&::sd_bus_message_new_method_call) message_new_method_call = nullptr;
  decltype(&::sd_bus_message_unref) message_unref = nullptr;
  decltype(&::sd_bus_message_set_allow_interactive_authorization) message_may_ask = nullptr;
  decltype(&::sd_bus_message_append) message_append = nullptr;
  decltype(&::sd_bus_message_appendv) message_appendv = nullptr;
  decltype(&::sd_bus_message_append_array) message_append_array = nullptr;
  decltype(&::sd_bus_message_peek_type) message_peek_type = nullptr;
  decltype(&::sd_bus_message_read) message_read = nullptr;
  decltype(&::sd_bus_message_read_basic) message_read_basic = nullptr;
  decltype(&::sd_bus_message_skip) message_skip = nullptr;
  decltype(&::sd_bus_message_enter_container) message_enter_container = nullptr;
  decltype(&::sd_bus_message_exit_container) message_exit_container = nullptr;
  /// False where libsystemd is not installed, or lacks one of these; then none may be called.
  bool loaded = false;
};

/// Loads it the first time.
const BusLibrary& bus();

}  // namespace memonline::cli
