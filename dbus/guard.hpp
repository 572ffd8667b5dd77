// SPDX-License-Identifier: LGPL-2.1-or-later
// What every handler runs in. In sdbus-c++ 1.2 an exception of any other type than its own ends the
// process, and a call whose Result is dropped leaves its caller waiting: neither can happen here.
#pragma once

#include <cstddef>
#include <exception>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "dbus/compat.hpp"
#include "dbus/errors.hpp"

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

/// How many requests are under way, of each client and of all.
class Clients {
 public:
  static constexpr std::size_t kMostOfOne = 32;
  static constexpr std::size_t kMost = 512;
  /// Held as long as a request is under way.
  using Ticket = std::shared_ptr<void>;
  /// Throws LimitsExceeded.
  Ticket admit(const std::string& client);

 private:
  struct Counts {
    std::map<std::string, std::size_t> of;
    std::size_t all = 0;
  };
  std::shared_ptr<Counts> counts_ = std::make_shared<Counts>();
};

/// The answer that a caller waits for: given once, and given as Failed if it is forgotten.
template <class... Values>
class Reply {
 public:
  explicit Reply(sdbus::Result<Values...>&& result)
      : state_(std::make_shared<State>(std::move(result))) {}
  void operator()(const Values&... values) const {
    try {
      if (!std::exchange(state_->answered, true)) state_->result.returnResults(values...);
    } catch (const std::exception& error) {
      state_->fail(make_error(errors::kFailed, error.what()));
    }
  }
  void fail(const sdbus::Error& error) const {
    if (!std::exchange(state_->answered, true)) state_->fail(error);
  }
  /// Kept until the answer is given and nobody holds the reply any more.
  void hold(const Clients::Ticket& ticket) const { state_->ticket = ticket; }

 private:
  struct State {
    explicit State(sdbus::Result<Values...>&& r) : result(std::move(r)) {}
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() {
      if (!answered) fail(make_error(errors::kFailed, "the service ended before it could answer"));
    }
    void fail(const sdbus::Error& error) const noexcept {
      try {
        result.returnError(error);
      } catch (...) {  // The bus is gone, and the caller with it.
        return;
      }
    }
    sdbus::Result<Values...> result;
    Clients::Ticket ticket;
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
