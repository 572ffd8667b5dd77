// SPDX-License-Identifier: LGPL-2.1-or-later
// A filter for all calls, including those that libsystemd answers by itself (properties, the object
// manager, introspection). It counts the bytes of replies that a caller has not read yet; beyond a
// limit, a call is refused, then dropped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "dbus/compat.hpp"
#include "dbus/unread.hpp"

namespace memonline::bus {

class Gate {
 public:
  explicit Gate(sdbus::IConnection& connection);

  /// Estimates the size of libsystemd's reply to such a call. Empty: no estimate.
  using Estimate =
      std::function<std::size_t(const std::string& path, const std::string& interface)>;
  void estimate_by(Estimate estimate) { estimate_ = std::move(estimate); }

  /// `called` is called for each call before it is handled, `gone` for a caller that has left the
  /// bus by then.
  using Called = std::function<void(const std::string& connection, sd_bus* bus)>;
  using Gone = std::function<void(const std::string& connection)>;
  void tell(Called called, Gone gone) {
    called_ = std::move(called);
    gone_ = std::move(gone);
  }

  /// Called for each call that is refused or dropped before it is handled, with its method, such as
  /// "Introspect" or "Plan", and the reason.
  using Refused = std::function<void(const std::string& connection, const std::string& method,
                                     const char* why)>;
  void report_refusals_to(Refused refused) { refused_ = std::move(refused); }

  /// Identifies the user of a connection and calls `known` with it; without a user if the
  /// connection has left. Empty: users are not distinguished.
  using Known = std::function<void(std::optional<std::uint32_t> uid)>;
  using Identify = std::function<void(const std::string& connection, const Known& known)>;
  void identify_by(Identify identify) { identify_ = std::move(identify); }

  /// The connection has left the bus, and its unread replies are gone.
  void forget(const std::string& connection) { unread_.learn(connection, std::nullopt); }

  /// Call it before a reply of so many bytes is sent: false if it must not be sent.
  bool may_send(const std::string& connection, std::size_t bytes);

 private:
  struct Unref {
    void operator()(sd_bus_slot* slot) const { sd_bus_slot_unref(slot); }
  };
  static int on_message(sd_bus_message* message, void* self, sd_bus_error* error) noexcept;
  int admit(sd_bus_message* message, const std::string& sender);
  Unread::Verdict charge(const std::string& connection, std::size_t bytes);
  void identify(const std::string& connection);
  void ask(const std::string& connection);

  std::unique_ptr<sdbus::IProxy> bus_;
  Unread unread_;
  Estimate estimate_;
  Called called_;
  Gone gone_;
  Refused refused_;
  Identify identify_;
  std::unique_ptr<sd_bus_slot, Unref> filter_;  ///< last: destroyed first
};

}  // namespace memonline::bus
