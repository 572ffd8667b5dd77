// SPDX-License-Identifier: LGPL-2.1-or-later
// Bytes that were sent to each connection and that it may not have read yet. dbus-daemon queues
// them and charges them to the sender: beyond max_incoming_bytes (127 MiB) it reads nothing more
// from the service, whose own queries then stay without a reply. Only the bus knows what a
// connection has read; see gate.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace memonline::bus {

class Unread {
 public:
  /// One reply of the largest size, and half as much again.
  static constexpr std::size_t kMaxOfUser = std::size_t{24} << 20U;
  static constexpr std::size_t kMaxOfAll = std::size_t{64} << 20U;
  /// Beyond that for root.
  static constexpr std::size_t kReserve = std::size_t{32} << 20U;
  /// For a connection whose user is not known yet. It may be root's, so its first bytes come from
  /// the reserve.
  static constexpr std::size_t kMaxOfUnknown = std::size_t{1} << 20U;
  static constexpr std::size_t kFirstBytes = std::size_t{4} << 10U;
  /// Refusals are sent up to this many bytes; then nothing, because it would not be read.
  static constexpr std::size_t kRefusals = std::size_t{1} << 20U;
  /// The bus is queried about a connection with this many bytes each time it is sent more.
  static constexpr std::size_t kMuch = std::size_t{1} << 20U;
  /// The bus is queried about this many other connections at a time, in case they have left; about
  /// more when another reply does not fit.
  static constexpr std::size_t kAtATime = 2;
  static constexpr std::size_t kAtATimeWhenFull = 64;

  enum class Verdict : std::uint8_t { Send, Refuse, Drop };
  /// Counts bytes that are about to be sent to a connection, unless they exceed a limit.
  Verdict charge(const std::string& connection, std::size_t bytes);
  /// Whether the connection was not seen before.
  [[nodiscard]] bool is_new(const std::string& connection) {
    return find(connection) == accounts_.end();
  }
  /// Sets the user of a connection, once it is known.
  void identify(const std::string& connection, std::uint32_t uid);
  /// Sets the unread bytes that the bus reports. None: the connection has left.
  void learn(const std::string& connection, std::optional<std::size_t> bytes);
  /// The connections to query the bus about, after this one was charged with that verdict; without
  /// those of pending queries.
  std::vector<std::string> to_ask(const std::string& connection, Verdict verdict);

 private:
  struct Account {
    std::string connection;
    std::optional<std::uint32_t> uid;
    std::size_t bytes = 0;
    bool asking = false;
  };
  [[nodiscard]] std::vector<Account>::iterator find(const std::string& connection);
  Account& open(const std::string& connection);
  void add(Account& account, std::size_t bytes);
  void remove(Account& account, std::size_t bytes);

  /// Unordered, in one allocation: after a burst of requests, many small ones would pin as many
  /// pages. There are as many as the bus has connections, some thousands at most.
  std::vector<Account> accounts_;
  std::map<std::optional<std::uint32_t>, std::size_t> of_user_;
  std::size_t all_ = 0;
  std::size_t next_ = 0;  ///< the account to query about next
};

}  // namespace memonline::bus
