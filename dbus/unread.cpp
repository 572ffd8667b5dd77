// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dbus/unread.hpp"

#include <algorithm>
#include <utility>

namespace memonline::bus {

namespace {

constexpr std::size_t kRefusal = 512;       // bytes of an error, about
constexpr std::size_t kManyAccounts = 256;  // from here on, those that are gone are looked for

}  // namespace

void Unread::add(Account& account, std::size_t bytes) {
  account.bytes += bytes;
  of_user_[account.uid] += bytes;
  all_ += bytes;
}

void Unread::remove(Account& account, std::size_t bytes) {
  account.bytes -= bytes;
  all_ -= bytes;
  const auto user = of_user_.find(account.uid);
  user->second -= bytes;
  if (user->second == 0) of_user_.erase(user);
}

Unread::Verdict Unread::charge(const std::string& connection, std::size_t bytes) {
  Account& account = accounts_[connection];
  const bool root = account.uid == 0U;
  const auto of_user = of_user_.find(account.uid);
  const std::size_t own = of_user == of_user_.end() ? 0 : of_user->second;
  const std::size_t most_of_all = kMaxOfAll + (root ? kReserve : 0);
  const std::size_t most_own = root ? most_of_all : kMaxOfUser;
  const auto fits = [&](std::size_t more) {
    return own + bytes <= most_own + more && all_ + bytes <= most_of_all + more;
  };
  if (fits(0)) {
    add(account, bytes);
    return Verdict::Send;
  }
  bytes = kRefusal;
  if (!fits(kRefusals)) return Verdict::Drop;
  add(account, bytes);
  return Verdict::Refuse;
}

void Unread::identify(const std::string& connection, std::uint32_t uid) {
  Account& account = accounts_[connection];
  if (account.uid == uid) return;
  const std::size_t bytes = account.bytes;
  if (bytes > 0) remove(account, bytes);
  account.uid = uid;
  if (bytes > 0) add(account, bytes);
}

void Unread::learn(const std::string& connection, std::optional<std::size_t> bytes) {
  const auto found = accounts_.find(connection);
  if (found == accounts_.end()) return;
  Account& account = found->second;
  account.asking = false;
  if (account.bytes > 0) remove(account, account.bytes);
  if (!bytes) {
    accounts_.erase(found);
    return;
  }
  if (*bytes > 0) add(account, *bytes);
}

std::vector<std::string> Unread::to_ask(const std::string& connection, Verdict verdict) {
  std::vector<std::string> names;
  const auto ask = [&](auto one) {
    if (!std::exchange(one->second.asking, true)) names.push_back(one->first);
  };
  const auto charged = accounts_.find(connection);
  if (charged != accounts_.end() && charged->second.bytes >= kMuch) ask(charged);
  const bool crowded = accounts_.size() > kManyAccounts;
  if (verdict == Verdict::Send && !crowded) return names;
  if (verdict != Verdict::Send)
    for (auto one = accounts_.begin(); one != accounts_.end(); ++one)
      if (one->second.bytes >= kMuch) ask(one);
  for (std::size_t i = 0; i < std::min(kAtATime, accounts_.size()); ++i) {
    auto one = accounts_.upper_bound(last_);
    if (one == accounts_.end()) one = accounts_.begin();
    last_ = one->first;
    ask(one);
  }
  return names;
}

}  // namespace memonline::bus
