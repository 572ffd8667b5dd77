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
  /// Refusals are sent, up to so much; then nothing, as it would not be read.
  static constexpr std::size_t kRefusals = std::size_t{1} << 20U;
  /// A connection with so much is asked about each time it is sent more.
  static constexpr std::size_t kMuch = std::size_t{1} << 20U;
  /// Of other connections, and of those that are gone, so many are asked about at a time.
  static constexpr std::size_t kAtATime = 8;

  enum class Verdict : std::uint8_t { Send, Refuse, Drop };
  /// Counts what is about to be sent to a connection; not if it is too much.
  Verdict charge(const std::string& connection, std::size_t bytes);
  /// Whether it was never seen before.
  [[nodiscard]] bool is_new(const std::string& connection) const {
    return !accounts_.contains(connection);
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
    std::optional<std::uint32_t> uid;
    std::size_t bytes = 0;
    bool asking = false;
  };
  void add(Account& account, std::size_t bytes);
  void remove(Account& account, std::size_t bytes);

  std::map<std::string, Account> accounts_;
  std::map<std::optional<std::uint32_t>, std::size_t> of_user_;
  std::size_t all_ = 0;
  std::string last_;  ///< the one that was asked about last in turn
};

}  // namespace memonline::bus
