// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dbus/unread.hpp"

#include <algorithm>
#include <utility>

namespace memonline::bus {

namespace {

constexpr std::size_t kRefusal = 512;       // bytes of an error, about
constexpr std::size_t kManyAccounts = 256;  // from here on, connections that left are searched for

}  // namespace

std::vector<Unread::Account>::iterator Unread::find(const std::string& connection) {
  return std::find_if(accounts_.begin(), accounts_.end(),
                      [&](const Account& one) { return one.connection == connection; });
}

Unread::Account& Unread::open(const std::string& connection) {
  if (const auto found = find(connection); found != accounts_.end()) return *found;
  return accounts_.emplace_back(Account{connection, {}, 0, false});
}

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
  Account& account = open(connection);
  const bool unknown = !account.uid;
  const bool root = account.uid == 0U || (unknown && account.bytes + bytes <= kFirstBytes);
  const auto of_user = of_user_.find(account.uid);
  const std::size_t own = of_user == of_user_.end() ? 0 : of_user->second;
  const std::size_t most_of_all = kMaxOfAll + (root ? kReserve : 0);
  const std::size_t most_own = root ? most_of_all : kMaxOfUser;
  const auto fits = [&](std::size_t more) {
    if (unknown && account.bytes + bytes > kMaxOfUnknown + more) return false;
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
  Account& account = open(connection);
  if (account.uid == uid) return;
  const std::size_t bytes = account.bytes;
  if (bytes > 0) remove(account, bytes);
  account.uid = uid;
  if (bytes > 0) add(account, bytes);
}

void Unread::learn(const std::string& connection, std::optional<std::size_t> bytes) {
  const auto found = find(connection);
  if (found == accounts_.end()) return;
  Account& account = *found;
  account.asking = false;
  if (account.bytes > 0) remove(account, account.bytes);
  if (!bytes) {
    std::swap(account, accounts_.back());
    accounts_.pop_back();
    return;
  }
  if (*bytes > 0) add(account, *bytes);
}

std::vector<std::string> Unread::to_ask(const std::string& connection, Verdict verdict) {
  std::vector<std::string> names;
  const auto ask = [&](Account& one) {
    if (!std::exchange(one.asking, true)) names.push_back(one.connection);
  };
  const auto charged = find(connection);
  if (charged != accounts_.end() && charged->bytes >= kMuch) ask(*charged);
  const bool crowded = accounts_.size() > kManyAccounts;
  if (verdict == Verdict::Send && !crowded) return names;
  if (verdict != Verdict::Send)
    for (Account& one : accounts_)
      if (one.bytes >= kMuch) ask(one);
  const std::size_t some = verdict == Verdict::Send ? kAtATime : kAtATimeWhenFull;
  for (std::size_t i = 0; i < std::min(some, accounts_.size()); ++i)
    ask(accounts_[next_++ % accounts_.size()]);
  return names;
}

}  // namespace memonline::bus
