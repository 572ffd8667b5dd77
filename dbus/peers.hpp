// SPDX-License-Identifier: LGPL-2.1-or-later
// Connections with pending requests. Once one of them leaves the bus, its requests are dropped.
// Each is matched by its name: other clients that come and go do not wake the service.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "dbus/compat.hpp"
#include "dbus/guard.hpp"

namespace memonline::bus {

class Peers {
 public:
  using Gone = std::function<void(const std::string& connection)>;
  explicit Peers(Gone gone);
  ~Peers();
  Peers(const Peers&) = delete;
  Peers& operator=(const Peers&) = delete;

  /// Held as long as a request of this connection is pending. Take it before the bus identifies the
  /// caller: that fails if the caller has left by then.
  Ticket watch(const Caller& caller);

 private:
  class Watched;
  struct State {
    Gone gone;  ///< empty: the listener has ended
    std::map<std::string, std::weak_ptr<Watched>> watched;
  };
  std::shared_ptr<State> state_;
};

}  // namespace memonline::bus
