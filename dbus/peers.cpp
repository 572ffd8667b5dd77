// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dbus/peers.hpp"

#include <utility>

#include <fmt/format.h>

namespace memonline::bus {

/// One connection; its match is removed with it.
class Peers::Watched {
 public:
  Watched(std::shared_ptr<State> state, const Caller& caller)
      : state_(std::move(state)), name_(caller.name) {
    const std::string match = fmt::format(
        "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
        "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='{}',arg2=''",
        name_);
    // Without a handler, a match that the bus refuses (it has a limit) would end the connection.
    // The request is answered without it.
    sd_bus_add_match_async(
        caller.bus, &slot_, match.c_str(),
        [](sd_bus_message*, void* self, sd_bus_error*) { return left(self); },
        [](sd_bus_message*, void*, sd_bus_error*) { return 0; }, this);
  }
  ~Watched() {
    sd_bus_slot_unref(slot_);
    if (const auto own = state_->watched.find(name_);
        own != state_->watched.end() && own->second.expired())
      state_->watched.erase(own);
  }
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;

 private:
  // A dropped request may hold the last ticket: this object must not be used after that.
  static int left(void* self) {
    const auto& watched = *static_cast<Watched*>(self);
    const std::string name = watched.name_;
    const std::shared_ptr<State> state = watched.state_;
    if (state->gone) state->gone(name);
    return 0;
  }

  std::shared_ptr<State> state_;
  std::string name_;
  sd_bus_slot* slot_ = nullptr;
};

Peers::Peers(Gone gone) : state_(std::make_shared<State>()) { state_->gone = std::move(gone); }

Peers::~Peers() { state_->gone = nullptr; }

Ticket Peers::watch(const Caller& caller) {
  if (caller.bus == nullptr) return nullptr;
  std::weak_ptr<Watched>& known = state_->watched[caller.name];
  std::shared_ptr<Watched> watched = known.lock();
  if (watched == nullptr) {
    watched = std::make_shared<Watched>(state_, caller);
    known = watched;
  }
  return watched;
}

}  // namespace memonline::bus
