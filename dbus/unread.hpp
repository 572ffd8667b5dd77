// SPDX-License-Identifier: LGPL-2.1-or-later
// Bytes that were sent to each connection and that it may not have read yet. dbus-daemon keeps
// them, on the account of who sent them: beyond max_incoming_bytes (127 MiB) it reads nothing more
// from the service, which then waits in vain for its own answers. What a connection has read only
// the bus knows; see gate.hpp.
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
  /// Of a connection whose user is not known yet. Its first bytes may be root's, and come from the
  /// reserve.
  static constexpr std::size_t kMaxOfUnknown = std::size_t{1} << 20U;
  static constexpr std::size_t kFirstBytes = std::size_t{4} << 10U;
  /// Refusals are sent, up to so much; then nothing, as it would not be read.
  static constexpr std::size_t kRefusals = std::size_t{1} << 20U;
  /// A connection with so much is asked about each time it is sent more.
  static constexpr std::size_t kMuch = std::size_t{1} << 20U;
  /// Of other connections, and of those that are gone, so many are asked about at a time; more when
  /// another reply does not fit.
  static constexpr std::size_t kAtATime = 2;
  static constexpr std::size_t kAtATimeWhenFull = 64;

  enum class Verdict : std::uint8_t { Send, Refuse, Drop };
  /// Counts what is about to be sent to a connection; not if it is too much.
  Verdict charge(const std::string& connection, std::size_t bytes);
  /// Whether it was never seen before.
  [[nodiscard]] bool is_new(const std::string& connection) {
    return find(connection) == accounts_.end();
  }
  /// Whose connection it is, once that is known; until then it is nobody's in particular.
  void identify(const std::string& connection, std::uint32_t uid);
  /// How much the bus says that it has not read. None: the connection is gone.
  void learn(const std::string& connection, std::optional<std::size_t> bytes);
  /// The connections that the bus should be asked about, after this one was charged with that
  /// verdict; none that it is being asked about.
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

  /// In no order, and in one piece: after a burst of requests, many small ones would keep as many
  /// pages. There are as many as the bus has connections, some thousands at most.
  std::vector<Account> accounts_;
  std::map<std::optional<std::uint32_t>, std::size_t> of_user_;
  std::size_t all_ = 0;
  std::size_t next_ = 0;  ///< the one to ask about next in turn
};

}  // namespace memonline::bus
