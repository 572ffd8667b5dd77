// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dbus/going_down.hpp"

#include <cstdint>
#include <memory>
#include <string_view>

#include <systemd/sd-bus.h>

namespace memonline::bus {

namespace {

constexpr std::uint64_t kPatience = 2'000'000;
constexpr auto kSystemd = "org.freedesktop.systemd1";
/// The private socket of PID 1: during a shutdown the bus may have stopped already.
constexpr auto kPrivateSocket = "unix:path=/run/systemd/private";

struct Unref {
  void operator()(sd_bus* open) const { sd_bus_flush_close_unref(open); }
  void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
};
using Connection = std::unique_ptr<sd_bus, Unref>;
using Message = std::unique_ptr<sd_bus_message, Unref>;

Connection to_systemd() {
  sd_bus* made = nullptr;
  if (sd_bus_new(&made) < 0) return nullptr;
  Connection direct(made);
  if (sd_bus_set_address(made, kPrivateSocket) >= 0 && sd_bus_start(made) >= 0) return direct;
  made = nullptr;
  return Connection(sd_bus_open_system(&made) < 0 ? nullptr : made);
}

}  // namespace

bool machine_goes_down() {
  const Connection connection = to_systemd();
  if (!connection) return false;
  sd_bus_message* made = nullptr;
  if (sd_bus_message_new_method_call(connection.get(), &made, kSystemd, "/org/freedesktop/systemd1",
                                     "org.freedesktop.DBus.Properties", "Get") < 0)
    return false;
  const Message question(made);
  sd_bus_message* reply = nullptr;
  if (sd_bus_message_append(made, "ss", "org.freedesktop.systemd1.Manager", "SystemState") < 0 ||
      sd_bus_call(connection.get(), made, kPatience, nullptr, &reply) < 0)
    return false;
  const Message answer(reply);
  const char* state = "";
  return sd_bus_message_read(reply, "v", "s", &state) > 0 && std::string_view(state) == "stopping";
}

}  // namespace memonline::bus
