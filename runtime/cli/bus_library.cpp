// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/cli/bus_library.hpp"

#include "runtime/base/late_library.hpp"

namespace memonline::cli {

namespace {

BusLibrary load() {
  BusLibrary library;
  // The name of its interface since systemd 209; all of these functions are in Debian 12's 252.
  runtime::LateLibrary late("libsystemd.so.0");
  late.bind(library.open_system, "sd_bus_open_system");
  late.bind(library.create, "sd_bus_new");
  late.bind(library.set_address, "sd_bus_set_address");
  late.bind(library.start, "sd_bus_start");
  late.bind(library.flush_close_unref, "sd_bus_flush_close_unref");
  late.bind(library.add_match, "sd_bus_add_match");
  late.bind(library.call, "sd_bus_call");
  late.bind(library.call_method, "sd_bus_call_method");
  late.bind(library.process, "sd_bus_process");
  late.bind(library.wait, "sd_bus_wait");
  late.bind(library.error_free, "sd_bus_error_free");
  late.bind(library.message_new_method_call, "sd_bus_message_new_method_call");
  late.bind(library.message_unref, "sd_bus_message_unref");
  late.bind(library.message_may_ask, "sd_bus_message_set_allow_interactive_authorization");
  late.bind(library.message_append, "sd_bus_message_append");
  late.bind(library.message_appendv, "sd_bus_message_appendv");
  late.bind(library.message_append_array, "sd_bus_message_append_array");
  late.bind(library.message_peek_type, "sd_bus_message_peek_type");
  late.bind(library.message_read, "sd_bus_message_read");
  late.bind(library.message_read_basic, "sd_bus_message_read_basic");
  late.bind(library.message_skip, "sd_bus_message_skip");
  late.bind(library.message_enter_container, "sd_bus_message_enter_container");
  late.bind(library.message_exit_container, "sd_bus_message_exit_container");
  library.loaded = late.complete();
  return library;
}

}  // namespace

const BusLibrary& bus() {
  static const BusLibrary library = load();
  return library;
}

}  // namespace memonline::cli
