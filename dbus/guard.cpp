// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dbus/guard.hpp"

#include <fmt/format.h>

namespace memonline::bus {

namespace {

sdbus::Error too_many(std::size_t waiting, const std::string& what, std::size_t most) {
  return make_error(errors::kLimitsExceeded,
                    fmt::format("too many {} ({} pending, limit {})", what, waiting, most));
}

template <class Key>
std::size_t count(const std::map<Key, std::size_t>& counts, const Key& key) {
  const auto one = counts.find(key);
  return one == counts.end() ? 0 : one->second;
}

template <class Key>
void less(std::map<Key, std::size_t>& counts, const Key& key, std::size_t amount) {
  if (const auto one = counts.find(key); (one->second -= amount) == 0) counts.erase(one);
}

}  // namespace

sdbus::Error too_long(std::size_t size, const std::string& instead) {
  return make_error(errors::kLimitsExceeded,
                    fmt::format("the reply has {} bytes, limit {}: {}", size, kMaxReply, instead));
}

Shares::Shares(std::string what, std::size_t of_user, std::size_t of_all, std::size_t reserve)
    : what_(std::move(what)), of_user_(of_user), of_all_(of_all), reserve_(reserve) {}

Ticket Shares::take(std::uint32_t uid, std::size_t amount) {
  if (amount == 0) return {};
  if (const std::size_t own = count(counts_->of, uid); uid != 0 && own + amount > of_user_)
    throw too_many(own, fmt::format("{} from uid {}", what_, uid), of_user_);
  const std::size_t most = of_all_ + (uid == 0 ? reserve_ : 0);
  if (counts_->all + amount > most) throw too_many(counts_->all, what_, most);
  counts_->of[uid] += amount;
  counts_->all += amount;
  return {nullptr, [counts = counts_, uid, amount](void*) {
            counts->all -= amount;
            less(counts->of, uid, amount);
          }};
}

Ticket Clients::admit(const std::string& connection) {
  if (const std::size_t own = count(*counts_, connection); own >= kMaxOfConnection)
    throw too_many(own, "requests from this client", kMaxOfConnection);
  ++(*counts_)[connection];
  return {nullptr, [counts = counts_, connection](void*) { less(*counts, connection, 1); }};
}

}  // namespace memonline::bus
