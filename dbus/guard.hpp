// SPDX-License-Identifier: LGPL-2.1-or-later
// Wrappers for all handlers. In sdbus-c++ 1.2 an exception of any type but its own ends the
// process, and a call whose Result is dropped leaves its caller waiting: the wrappers prevent both.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dbus/compat.hpp"
#include "dbus/errors.hpp"
#include "dbus/wire_size.hpp"

namespace memonline::bus {

/// The value of `body`, or its exception as an error of the bus.
template <class Body>
auto guarded(Body&& body) -> decltype(body()) {
  try {
    return body();
  } catch (const sdbus::Error&) {
    throw;
  } catch (const std::exception& error) {
    throw make_error(errors::kFailed, error.what());
  } catch (...) {
    throw make_error(errors::kFailed, "unknown exception");
  }
}

/// Held as long as a request is under way.
using Ticket = std::shared_ptr<void>;

/// A resource with a limit per user and a limit for all users; root has a reserve beyond that.
class Shares {
 public:
  Shares(std::string what, std::size_t of_user, std::size_t of_all, std::size_t reserve);
  /// Throws LimitsExceeded.
  Ticket take(std::uint32_t uid, std::size_t amount = 1);

 private:
  struct Counts {
    std::map<std::uint32_t, std::size_t> of;
    std::size_t all = 0;
  };
  std::string what_;
  std::size_t of_user_, of_all_, reserve_;
  std::shared_ptr<Counts> counts_ = std::make_shared<Counts>();
};

/// Pending requests by connection, by user and in total. A polkit query may take minutes until a
/// user has entered a password, and a user has as many connections as the bus allows: the limits
/// leave a share for each user, and a reserve for root.
class Clients {
 public:
  static constexpr std::size_t kMaxOfConnection = 32;
  /// When a request arrives, before its user is known. Throws LimitsExceeded.
  Ticket admit(const std::string& connection);
  [[nodiscard]] bool any() const { return !counts_->empty(); }
  /// Requests whose user is known; they hold this ticket and that of admit().
  Shares requests{"requests", 128, 512, 64};
  /// The texts in requests from callers that the bus has not identified yet.
  Shares unidentified{"bytes of policies and plans from unidentified callers",
                      std::size_t{16} << 20U, std::size_t{16} << 20U, 0};
  /// Requests that wait for polkit: the bus lets a connection wait for at most 128 replies
  /// (max_replies_per_connection), including those of PID 1 to root's requests.
  Shares questions{"polkit queries", 16, 96, 0};

 private:
  using Counts = std::map<std::string, std::size_t>;
  std::shared_ptr<Counts> counts_ = std::make_shared<Counts>();
};

/// LimitsExceeded: the reply would have `size` bytes.
sdbus::Error too_long(std::size_t size, const std::string& instead);

/// The reply that a caller waits for: sent once, and sent as Failed if a handler drops it.
template <class... Values>
class Reply {
 public:
  explicit Reply(sdbus::Result<Values...>&& result)
      : state_(std::make_shared<State>(std::move(result))) {}
  /// Sends LimitsExceeded if the reply is too long, for this caller or in general.
  void operator()(const Values&... values) const {
    if (std::exchange(state_->answered, true)) return;
    try {
      const auto size = (std::size_t{0} + ... + wire_size(values));
      if (size > kMaxReply)
        state_->fail(too_long(size, state_->instead));
      else if (state_->may_send && !state_->may_send(size))
        state_->fail(make_error(errors::kLimitsExceeded, errors::kUnreadText));
      else {
        state_->tell(nullptr);
        state_->result.returnResults(values...);
      }
    } catch (const sdbus::Error& error) {
      state_->fail(error);
    } catch (const std::exception& error) {
      state_->fail(make_error(errors::kFailed, error.what()));
    }
  }
  void fail(const sdbus::Error& error) const {
    if (!std::exchange(state_->answered, true)) state_->fail(error);
  }
  /// Called before the reply is sent, with its size in bytes.
  void measured_by(const std::function<bool(std::size_t)>& may_send) const {
    state_->may_send = may_send;
  }
  /// What a caller can do instead if the reply is too long.
  void instead(const std::string& words) const { state_->instead = words; }
  /// Called once, before the reply is sent; with null if it is not an error.
  void watch(const std::function<void(const sdbus::Error*)>& watcher) const {
    state_->watcher = watcher;
  }
  /// Kept until the reply is sent and no handler holds it any more.
  void hold(Ticket ticket) const { state_->tickets.push_back(std::move(ticket)); }

 private:
  struct State {
    explicit State(sdbus::Result<Values...>&& r) : result(std::move(r)) {}
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() {
      if (!answered) fail(make_error(errors::kFailed, "the service exited before it could reply"));
    }
    void tell(const sdbus::Error* error) {
      if (const auto told = std::exchange(watcher, nullptr)) told(error);
    }
    void fail(const sdbus::Error& error) noexcept {
      try {
        tell(&error);
        result.returnError(error);
      } catch (...) {  // The bus is gone, and the caller with it.
        return;
      }
    }
    sdbus::Result<Values...> result;
    std::vector<Ticket> tickets;
    std::function<bool(std::size_t)> may_send;
    std::string instead = "request less at once";
    std::function<void(const sdbus::Error*)> watcher;
    bool answered = false;
  };
  std::shared_ptr<State> state_;
};

/// Runs `body`; its exception becomes the reply.
template <class... Values, class Body>
void answering(const Reply<Values...>& reply, Body&& body) noexcept {
  try {
    body();
  } catch (const sdbus::Error& error) {
    reply.fail(error);
  } catch (const std::exception& error) {
    reply.fail(make_error(errors::kFailed, error.what()));
  } catch (...) {
    reply.fail(make_error(errors::kFailed, "unknown exception"));
  }
}

}  // namespace memonline::bus
