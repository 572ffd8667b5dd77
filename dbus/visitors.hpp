// SPDX-License-Identifier: LGPL-2.1-or-later
// The connections that have called the service and are still on the bus: while there is one, the
// service does not exit when idle. A page that shows memory would make the bus restart it at once.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>

#include "dbus/peers.hpp"

namespace memonline::bus {

class Visitors {
 public:
  using Clock = std::chrono::steady_clock;
  /// The bus limits the matches of a connection; further callers are not waited for.
  static constexpr std::size_t kMax = 128;

  /// `peers` reports a connection that has left through `left`.
  explicit Visitors(Peers& peers) : peers_(peers) {}
  void called(const std::string& connection, sd_bus* bus);
  void left(const std::string& connection);

  [[nodiscard]] bool any() const { return !held_.empty(); }
  /// When the last of them called, or left.
  [[nodiscard]] Clock::time_point last_call() const { return last_call_; }

 private:
  Peers& peers_;
  std::map<std::string, Ticket> held_;
  Clock::time_point last_call_{};
};

}  // namespace memonline::bus
