// SPDX-License-Identifier: LGPL-2.1-or-later
// One interface for sdbus-c++ 1.2 (Debian 12) and 2.x (Debian 13). Only this file handles the
// differences.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sdbus-c++/sdbus-c++.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#if __has_include(<sdbus-c++/VTableItems.h>)
#define MEMONLINE_SDBUS_2 1
#else
#define MEMONLINE_SDBUS_2 0
#endif

namespace memonline::bus {

#if MEMONLINE_SDBUS_2
using ReplyError = std::optional<sdbus::Error>;
using BusName = sdbus::ServiceName;
using InterfaceName = sdbus::InterfaceName;
using PropertyName = sdbus::PropertyName;
inline sdbus::Error make_error(const std::string& name, const std::string& message) {
  return sdbus::Error(sdbus::Error::Name{name}, message);
}
inline std::unique_ptr<sdbus::IProxy> make_proxy(sdbus::IConnection& connection,
                                                 const std::string& name, const std::string& path) {
  return sdbus::createProxy(connection, sdbus::ServiceName{name}, sdbus::ObjectPath{path});
}
/// Call it after the signals of a proxy were registered.
inline void begin_listening(sdbus::IProxy&) {}
inline void request_name(sdbus::IConnection& connection, const std::string& name) {
  connection.requestName(sdbus::ServiceName{name});
}
inline void release_name(sdbus::IConnection& connection, const std::string& name) {
  connection.releaseName(sdbus::ServiceName{name});
}
inline void emit_changed(sdbus::IObject& object, const std::string& interface,
                         const std::vector<std::string>& names) {
  std::vector<sdbus::PropertyName> properties;
  for (const std::string& name : names) properties.emplace_back(name);
  object.emitPropertiesChangedSignal(sdbus::InterfaceName{interface}, properties);
}
#else
using ReplyError = const sdbus::Error*;
using BusName = std::string;
using InterfaceName = std::string;
using PropertyName = std::string;
inline sdbus::Error make_error(const std::string& name, const std::string& message) {
  return {name, message};
}
inline std::unique_ptr<sdbus::IProxy> make_proxy(sdbus::IConnection& connection,
                                                 const std::string& name, const std::string& path) {
  return sdbus::createProxy(connection, name, path);
}
inline void begin_listening(sdbus::IProxy& proxy) { proxy.finishRegistration(); }
inline void request_name(sdbus::IConnection& connection, const std::string& name) {
  connection.requestName(name);
}
inline void release_name(sdbus::IConnection& connection, const std::string& name) {
  connection.releaseName(name);
}
inline void emit_changed(sdbus::IObject& object, const std::string& interface,
                         const std::vector<std::string>& names) {
  object.emitPropertiesChangedSignal(interface, names);
}
#endif

/// The sender of the message that is being handled.
struct Caller {
  std::string name;  ///< its unique name on the bus
  bool interactive =
      false;              ///< it allows interaction with its user (ALLOW_INTERACTIVE_AUTHORIZATION)
  sd_bus* bus = nullptr;  ///< its bus
  std::string method;     ///< that it calls
  std::string digest = {};  ///< of the plan of the request, for the journal
  std::size_t bytes = 0;    ///< of the text in the message
};

/// sdbus-c++ does not expose the interactive flag; libsystemd's message does, but is a protected
/// member.
struct Peek : sdbus::Message {
  static sd_bus_message* raw(const sdbus::Message& message) {
    return static_cast<sd_bus_message*>(message.*(&Peek::msg_));
  }
};

/// The bus of a proxy's messages, which sdbus-c++ hides as well; in 2.x, messages are made by a
/// protected function.
struct PeekAtBus : sdbus::IProxy {
  static sd_bus* of(const sdbus::IProxy& proxy) {
    const char* interface = "org.freedesktop.DBus";
#if MEMONLINE_SDBUS_2
    using Make = sdbus::MethodCall (sdbus::IProxy::*)(const char*, const char*) const;
    const auto call = (proxy.*static_cast<Make>(&PeekAtBus::createMethodCall))(interface, "GetId");
#else
    const auto call = const_cast<sdbus::IProxy&>(proxy).createMethodCall(interface, "GetId");
#endif
    return sd_bus_message_get_bus(Peek::raw(call));
  }
};

/// Call it only while `object` handles a call.
inline Caller current_caller(const sdbus::IObject& object) {
  const auto caller_of = [](const sdbus::Message& message) {
    return Caller{message.getSender(),
                  sd_bus_message_get_allow_interactive_authorization(Peek::raw(message)) > 0,
                  sd_bus_message_get_bus(Peek::raw(message)), message.getMemberName()};
  };
#if MEMONLINE_SDBUS_2
  return caller_of(object.getCurrentlyProcessedMessage());
#else
  const sdbus::Message* message = object.getCurrentlyProcessedMessage();
  return message == nullptr ? Caller{} : caller_of(*message);
#endif
}

/// Makes the loop read and answer the messages of the connection. The loop ends with 1 if the
/// connection is lost.
#if MEMONLINE_SDBUS_2
class Pump {
 public:
  Pump(sdbus::IConnection& connection, sd_event* event) : connection_(connection) {
    connection_.attachSdEventLoop(event);
  }
  ~Pump() { connection_.detachSdEventLoop(); }
  Pump(const Pump&) = delete;
  Pump& operator=(const Pump&) = delete;

 private:
  sdbus::IConnection& connection_;
};
#else
class Pump {
 public:
  Pump(sdbus::IConnection& connection, sd_event* event) : connection_(connection), event_(event) {
    const auto data = connection_.getEventLoopPollData();
    sd_event_add_io(
        event_, &io_, data.fd, static_cast<std::uint32_t>(data.events),
        [](sd_event_source*, int, std::uint32_t, void* self) { return drain(self); }, this);
    sd_event_add_time(
        event_, &timer_, CLOCK_MONOTONIC, 0, 0,
        [](sd_event_source*, std::uint64_t, void* self) { return drain(self); }, this);
    sd_event_source_set_enabled(timer_, SD_EVENT_OFF);
    sd_event_source_set_prepare(io_, [](sd_event_source*, void* self) { return prepare(self); });
  }
  ~Pump() {
    sd_event_source_unref(timer_);
    sd_event_source_unref(io_);
  }
  Pump(const Pump&) = delete;
  Pump& operator=(const Pump&) = delete;

 private:
  static int drain(void* self) {
    auto& pump = *static_cast<Pump*>(self);
    try {
      while (pump.connection_.processPendingRequest()) {
      }
      return 0;
    } catch (const std::exception&) {
      return sd_event_exit(pump.event_, 1);
    }
  }
  /// Before the loop sleeps: handles messages that arrived while others were sent, then sets what
  /// to wait for.
  static int prepare(void* self) {
    auto& pump = *static_cast<Pump*>(self);
    if (const int result = drain(self); result < 0) return result;
    const auto data = pump.connection_.getEventLoopPollData();
    sd_event_source_set_io_events(pump.io_, static_cast<std::uint32_t>(data.events));
    const bool timed = data.timeout_usec != UINT64_MAX;
    if (timed) sd_event_source_set_time(pump.timer_, data.timeout_usec);
    return sd_event_source_set_enabled(pump.timer_, timed ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
  }

  sdbus::IConnection& connection_;
  sd_event* event_;
  sd_event_source* io_ = nullptr;
  sd_event_source* timer_ = nullptr;
};
#endif

}  // namespace memonline::bus
