// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/cli/going_down.hpp"

#include <string_view>

#include "runtime/cli/bus_message.hpp"

namespace memonline::cli {

namespace {

constexpr std::uint64_t kTimeout = 2'000'000;
constexpr auto kSystemd = "org.freedesktop.systemd1";
/// PID 1's own socket: the bus may have been stopped already.
constexpr auto kPrivateSocket = "unix:path=/run/systemd/private";

struct Close {
  void operator()(sd_bus* open) const { bus().flush_close_unref(open); }
};
using Connection = std::unique_ptr<sd_bus, Close>;

Connection to_systemd() {
  sd_bus* made = nullptr;
  if (bus().create(&made) < 0) return nullptr;
  Connection direct(made);
  if (bus().set_address(made, kPrivateSocket) >= 0 && bus().start(made) >= 0) return direct;
  made = nullptr;
  return Connection(bus().open_system(&made) < 0 ? nullptr : made);
}

}  // namespace

bool machine_goes_down() {
  if (!bus().loaded) return false;
  const Connection connection = to_systemd();
  if (!connection) return false;
  sd_bus_message* made = nullptr;
  if (bus().message_new_method_call(connection.get(), &made, kSystemd, "/org/freedesktop/systemd1",
                                    "org.freedesktop.DBus.Properties", "Get") < 0)
    return false;
  const Message question(made);
  Error error;
  sd_bus_message* reply = nullptr;
  if (bus().message_append(made, "ss", "org.freedesktop.systemd1.Manager", "SystemState") < 0 ||
      bus().call(connection.get(), made, kTimeout, &error, &reply) < 0)
    return false;
  const Message answer(reply);
  const char* state = "";
  return bus().message_read(reply, "v", "s", &state) > 0 && std::string_view(state) == "stopping";
}

}  // namespace memonline::cli
