// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dbus/gate.hpp"

#include <map>
#include <new>
#include <optional>
#include <string_view>
#include <utility>

#include "dbus/errors.hpp"
#include "dbus/wire_size.hpp"

namespace memonline::bus {

namespace {

constexpr auto kBus = "org.freedesktop.DBus";
constexpr auto kStats = "org.freedesktop.DBus.Debug.Stats";
/// An error, or a reply without a value.
constexpr std::size_t kSmallReply = 512;

bool is_gone(const sdbus::Error& error) {
  return std::string(error.getName()) == "org.freedesktop.DBus.Error.NameHasNoOwner";
}

const char* or_empty(const char* text) { return text == nullptr ? "" : text; }

}  // namespace

Gate::Gate(sdbus::IConnection& connection)
    : bus_(make_proxy(connection, kBus, "/org/freedesktop/DBus")) {
  // sdbus-c++ hides the sd_bus of its messages, and does not support filters.
  sd_bus_slot* slot = nullptr;
  if (sd_bus_add_filter(PeekAtBus::of(*bus_), &slot, on_message, this) < 0) throw std::bad_alloc();
  filter_.reset(slot);
}

int Gate::on_message(sd_bus_message* message, void* self, sd_bus_error*) noexcept {
  std::uint8_t type = 0;
  sd_bus_message_get_type(message, &type);
  const char* sender = sd_bus_message_get_sender(message);
  if (type != SD_BUS_MESSAGE_METHOD_CALL || sender == nullptr ||
      sd_bus_message_get_expect_reply(message) == 0)
    return 0;
  try {
    return static_cast<Gate*>(self)->admit(message, sender);
  } catch (...) {  // Out of memory: a call that cannot be counted gets no reply.
    return 1;
  }
}

int Gate::admit(sd_bus_message* message, const std::string& sender) {
  if (called_) called_(sender, sd_bus_message_get_bus(message));
  const std::string interface = or_empty(sd_bus_message_get_interface(message));
  std::size_t bytes = kSmallReply;
  // The replies of handlers are counted when they are sent.
  if (estimate_ && !interface.starts_with("org.memonline1."))
    bytes += estimate_(or_empty(sd_bus_message_get_path(message)), interface);
  const auto report = [&](const char* why) {
    if (refused_) refused_(sender, or_empty(sd_bus_message_get_member(message)), why);
  };
  const auto refuse = [&](const char* why) {
    report(why);
    sd_bus_reply_method_errorf(message, errors::kLimitsExceeded, "%s", why);
    return 1;
  };
  if (bytes > kMaxReply) return refuse("the reply would exceed 16 MiB: request less at once");
  switch (charge(sender, bytes)) {
    case Unread::Verdict::Send: return 0;
    case Unread::Verdict::Refuse: return refuse(errors::kUnreadText);
    case Unread::Verdict::Drop: report(errors::kUnreadText); break;
  }
  return 1;
}

bool Gate::may_send(const std::string& connection, std::size_t bytes) {
  return charge(connection, bytes) == Unread::Verdict::Send;
}

Unread::Verdict Gate::charge(const std::string& connection, std::size_t bytes) {
  const bool is_new = unread_.is_new(connection);
  const Unread::Verdict verdict = unread_.charge(connection, bytes);
  if (is_new) identify(connection);
  for (const std::string& name : unread_.to_ask(connection, verdict)) ask(name);
  return verdict;
}

void Gate::identify(const std::string& connection) {
  if (!identify_) return;
  identify_(connection, [this, connection](std::optional<std::uint32_t> uid) {
    if (uid) {
      unread_.identify(connection, *uid);
    } else {
      unread_.learn(connection, std::nullopt);
      if (gone_) gone_(connection);
    }
  });
}

// dbus-daemon reports to root how much each connection has not read. dbus-broker does not, and need
// not: it charges messages to their receivers, and never lets the sender wait.
void Gate::ask(const std::string& connection) {
  bus_->callMethodAsync("GetConnectionStats")
      .onInterface(kStats)
      .withArguments(connection)
      .uponReplyInvoke([this, connection](ReplyError error,
                                          const std::map<std::string, sdbus::Variant>& stats) {
        if (error && is_gone(*error)) {
          unread_.learn(connection, std::nullopt);
          return;
        }
        const auto unread = stats.find("OutgoingBytes");
        const bool told =
            !error && unread != stats.end() && unread->second.containsValueOfType<std::uint32_t>();
        unread_.learn(connection, told ? unread->second.get<std::uint32_t>() : 0U);
      });
}

}  // namespace memonline::bus
