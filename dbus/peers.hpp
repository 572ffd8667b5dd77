// SPDX-License-Identifier: LGPL-2.1-or-later
// Connections with requests under way. Once one of them leaves the bus, what it asked for need not
// be done any more. Each is matched by its name: other clients that come and go wake nobody.
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

  /// Held as long as a request of this connection is under way. Take it before the bus is asked who
  /// the caller is: it answers with an error where the caller had left by then.
  Ticket watch(const Caller& caller);

 private:
  class Watched;
  struct State {
    Gone gone;  ///< empty: nobody listens any more
    std::map<std::string, std::weak_ptr<Watched>> watched;
  };
  std::shared_ptr<State> state_;
};

}  // namespace memonline::bus
