// SPDX-License-Identifier: LGPL-2.1-or-later
// One journal entry for each request that changes something, and for each one that was refused: the
// caller, the method, the result, and the duration.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "dbus/compat.hpp"
#include "dbus/log.hpp"

namespace memonline::bus {

class Audit {
 public:
  explicit Audit(const Log& log) : log_(log) {}

  /// A request from its arrival to its reply.
  struct Request {
    std::string method;
    std::chrono::steady_clock::time_point began = std::chrono::steady_clock::now();
    std::optional<std::uint32_t> uid, pid;  ///< once the bus has identified the caller
    std::string digest;                     ///< of the plan to apply; empty: none
    bool changes = false;                   ///< the method changes something
  };
  using Shared = std::shared_ptr<Request>;

  /// Before the reply is sent. `error`: null if the request is done, or started as a job.
  void answered(const Request& request, const sdbus::Error* error);

 private:
  /// Refused requests that only read are reported at most once per second and user.
  struct Refusals {
    std::chrono::steady_clock::time_point reported;
    std::uint64_t unreported = 0;
  };
  bool report_refusal(const Request& request, std::uint64_t& unreported);

  const Log& log_;
  std::map<std::optional<std::uint32_t>, Refusals> refusals_;
};

}  // namespace memonline::bus
