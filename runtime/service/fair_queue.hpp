// SPDX-License-Identifier: LGPL-2.1-or-later
// Pending work of several users: root's first, then one item of each user in turn. However much one
// user queues, another user's next item waits for at most one item of each other user.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace memonline::service {

/// The sender of a request. The service's own work counts as root's.
struct Requester {
  std::uint32_t uid = 0;
  std::string connection;  ///< its unique bus name; empty: no connection waits for the reply
};

template <class Item>
class FairQueue {
 public:
  void push(const Requester& requester, Item item) {
    users_[requester.uid].push_back({requester.connection, std::move(item)});
  }

  [[nodiscard]] bool empty() const { return users_.empty(); }

  std::optional<std::pair<Requester, Item>> pop() {
    if (users_.empty()) return std::nullopt;
    const auto user = next_user();
    auto& items = user->second;
    const std::uint32_t uid = user->first;
    std::pair<Requester, Item> next{{uid, std::move(items.front().connection)},
                                    std::move(items.front().item)};
    items.pop_front();
    if (items.empty()) users_.erase(user);
    if (uid != 0) last_ = uid;
    return next;
  }

  /// Removes the items for which `matches(connection, item)` is true, and returns them.
  template <class Matches>
  std::deque<Item> remove_if(Matches matches) {
    std::deque<Item> removed;
    for (auto user = users_.begin(); user != users_.end();) {
      std::deque<Waiting> kept;
      for (Waiting& one : user->second) {
        if (matches(one.connection, one.item))
          removed.push_back(std::move(one.item));
        else
          kept.push_back(std::move(one));
      }
      user->second = std::move(kept);
      user = user->second.empty() ? users_.erase(user) : std::next(user);
    }
    return removed;
  }

 private:
  struct Waiting {
    std::string connection;
    Item item;
  };
  using Users = std::map<std::uint32_t, std::deque<Waiting>>;

  typename Users::iterator next_user() {
    if (const auto root = users_.find(0); root != users_.end()) return root;
    const auto after = users_.upper_bound(last_);
    return after == users_.end() ? users_.begin() : after;
  }

  Users users_;             ///< no queue is empty
  std::uint32_t last_ = 0;  ///< the user whose turn it was
};

}  // namespace memonline::service
