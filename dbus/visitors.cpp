// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dbus/visitors.hpp"

namespace memonline::bus {

void Visitors::called(const std::string& connection, sd_bus* bus) {
  last_call_ = Clock::now();
  if (held_.size() < kMax && !held_.contains(connection))
    held_[connection] = peers_.watch({connection, false, bus, {}});
}

void Visitors::left(const std::string& connection) {
  if (held_.erase(connection) > 0) last_call_ = Clock::now();
}

}  // namespace memonline::bus
