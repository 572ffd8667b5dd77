// SPDX-License-Identifier: LGPL-2.1-or-later
// What every handler runs in. In sdbus-c++ 1.2 an exception of any other type than its own ends the
// process, and a call whose Result is dropped leaves its caller waiting: neither can happen here.
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
    throw make_error(errors::kFailed, "an unknown exception");
  }
}

/// Held as long as a request is under way.
using Ticket = std::shared_ptr<void>;

/// Something of which each user may have so much, and all so much; root has a reserve beyond that.
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

/// What is under way, by connection, by user and in all. A question to polkit may wait for minutes
/// until a user has found a password, and a user has as many connections as the bus allows:
/// whatever others do, there is a share for everybody, and root is served.
class Clients {
 public:
  static constexpr std::size_t kMostOfConnection = 32;
  /// As a request comes. Throws LimitsExceeded. Whose it is is not known yet; the bus tells at
  /// once.
  Ticket admit(const std::string& connection);
  [[nodiscard]] bool any() const { return !counts_->empty(); }
  /// Requests whose user is known, the other ticket held beside.
  Shares requests{"requests", 128, 512, 64};
  /// The texts in requests of callers that the bus has still to identify.
  Shares unidentified{"bytes of policies and plans of callers not yet identified",
                      std::size_t{16} << 20U, std::size_t{16} << 20U, 0};
  /// Requests that wait for polkit: the bus lets no connection wait for more than 128 answers
  /// (max_replies_per_connection), and what is asked of PID 1 for root is among them.
  Shares questions{"questions to polkit", 16, 96, 0};

 private:
  using Counts = std::map<std::string, std::size_t>;
  std::shared_ptr<Counts> counts_ = std::make_shared<Counts>();
};

/// LimitsExceeded: such a reply would be so long.
sdbus::Error too_long(std::size_t size, const std::string& instead);

/// The answer that a caller waits for: given once, and given as Failed if it is forgotten.
template <class... Values>
class Reply {
 public:
  explicit Reply(sdbus::Result<Values...>&& result)
      : state_(std::make_shared<State>(std::move(result))) {}
  /// LimitsExceeded in place of what is longer than may be sent, to this caller or at all.
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
  /// Asked before the answer is sent, with its size in bytes.
  void measured_by(const std::function<bool(std::size_t)>& may_send) const {
    state_->may_send = may_send;
  }
  /// What a caller can do in place of this where the reply is too long.
  void instead(const std::string& words) const { state_->instead = words; }
  /// Called once, before the answer is sent; with null where it is no error.
  void watch(const std::function<void(const sdbus::Error*)>& watcher) const {
    state_->watcher = watcher;
  }
  /// Kept until the answer is given and nobody holds the reply any more.
  void hold(Ticket ticket) const { state_->tickets.push_back(std::move(ticket)); }

 private:
  struct State {
    explicit State(sdbus::Result<Values...>&& r) : result(std::move(r)) {}
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() {
      if (!answered) fail(make_error(errors::kFailed, "the service ended before it could answer"));
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
    std::string instead = "ask for less at once";
    std::function<void(const sdbus::Error*)> watcher;
    bool answered = false;
  };
  std::shared_ptr<State> state_;
};

/// Runs `body`; its exception becomes the answer.
template <class... Values, class Body>
void answering(const Reply<Values...>& reply, Body&& body) noexcept {
  try {
    body();
  } catch (const sdbus::Error& error) {
    reply.fail(error);
  } catch (const std::exception& error) {
    reply.fail(make_error(errors::kFailed, error.what()));
  } catch (...) {
    reply.fail(make_error(errors::kFailed, "an unknown exception"));
  }
}

}  // namespace memonline::bus
