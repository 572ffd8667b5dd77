// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dbus/guard.hpp"

#include <fmt/format.h>

namespace memonline::bus {

Clients::Ticket Clients::admit(const std::string& client) {
  const auto own = counts_->of.find(client);
  if (own != counts_->of.end() && own->second >= kMostOfOne)
    throw make_error(
        errors::kLimitsExceeded,
        fmt::format("{} requests of this client wait already, {} may", own->second, kMostOfOne));
  if (counts_->all >= kMost)
    throw make_error(errors::kLimitsExceeded,
                     fmt::format("{} requests wait already, {} may", counts_->all, kMost));
  ++counts_->of[client];
  ++counts_->all;
  return {nullptr, [counts = counts_, client](void*) {
            --counts->all;
            if (const auto one = counts->of.find(client); --one->second == 0) counts->of.erase(one);
          }};
}

}  // namespace memonline::bus
