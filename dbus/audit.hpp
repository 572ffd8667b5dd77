// SPDX-License-Identifier: LGPL-2.1-or-later
// One entry in the journal for every request that changes something, and for every one that was
// refused: who asked for what, what came of it, and how long it took.
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

  /// A request from its arrival to its answer.
  struct Request {
    std::string method;
    std::chrono::steady_clock::time_point began = std::chrono::steady_clock::now();
    std::optional<std::uint32_t> uid, pid;  ///< once the bus has told
    std::string digest;                     ///< of the plan that is to be applied; empty: none
    bool changes = false;                   ///< it asks to change something
  };
  using Shared = std::shared_ptr<Request>;

  /// Before the answer is sent. `error`: null where the request is done, or begun as a job.
  void answered(const Request& request, const sdbus::Error* error);

 private:
  /// Reading requests that are refused are reported once a second for each user at most.
  struct Refusals {
    std::chrono::steady_clock::time_point reported;
    std::uint64_t unreported = 0;
  };
  bool report_refusal(const Request& request, std::uint64_t& unreported);

  const Log& log_;
  std::map<std::optional<std::uint32_t>, Refusals> refusals_;
};

}  // namespace memonline::bus
