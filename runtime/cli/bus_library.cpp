// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/cli/bus_library.hpp"

#include <type_traits>

#include <dlfcn.h>

namespace memonline::cli {

namespace {

BusLibrary load() {
  BusLibrary library;
  // The name of its interface since systemd 209; all of these functions are in Debian 12's 252.
  void* handle = ::dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return library;
  bool all = true;
  const auto bind = [&](auto& function, const char* name) {
    function = reinterpret_cast<std::decay_t<decltype(function)>>(::dlsym(handle, name));
    all = all && function != nullptr;
  };
  bind(library.open_system, "sd_bus_open_system");
  bind(library.flush_close_unref, "sd_bus_flush_close_unref");
  bind(library.add_match, "sd_bus_add_match");
  bind(library.call, "sd_bus_call");
  bind(library.call_method, "sd_bus_call_method");
  bind(library.process, "sd_bus_process");
  bind(library.wait, "sd_bus_wait");
  bind(library.error_free, "sd_bus_error_free");
  bind(library.message_new_method_call, "sd_bus_message_new_method_call");
  bind(library.message_unref, "sd_bus_message_unref");
  bind(library.message_may_ask, "sd_bus_message_set_allow_interactive_authorization");
  bind(library.message_appendv, "sd_bus_message_appendv");
  bind(library.message_peek_type, "sd_bus_message_peek_type");
  bind(library.message_read, "sd_bus_message_read");
  bind(library.message_read_basic, "sd_bus_message_read_basic");
  bind(library.message_skip, "sd_bus_message_skip");
  bind(library.message_enter_container, "sd_bus_message_enter_container");
  bind(library.message_exit_container, "sd_bus_message_exit_container");
  library.loaded = all;
  return library;
}

}  // namespace

const BusLibrary& bus() {
  static const BusLibrary library = load();
  return library;
}

}  // namespace memonline::cli
