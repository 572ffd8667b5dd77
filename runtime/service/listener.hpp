// SPDX-License-Identifier: LGPL-2.1-or-later
// What the service tells its front end (the bus, or a test), in the loop's thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "runtime/service/view.hpp"

namespace memonline::service {

/// Priorities of messages, as in syslog.
inline constexpr int kError = 3, kWarning = 4, kNotice = 5, kInfo = 6;

class Listener {
 public:
  Listener() = default;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  virtual ~Listener() = default;
  virtual void view_changed(const View& before, const View& now) = 0;
  virtual void job_added(const Job& job) = 0;
  virtual void job_changed(const Job& job) = 0;
  virtual void job_removed(std::uint64_t id) = 0;
  /// A message for the log.
  struct Fields {
    std::optional<model::WriteRun> blocks;
    std::string rule;
    int error = 0;
  };
  virtual void say(int priority, const std::string& message, const Fields& fields) = 0;
};

}  // namespace memonline::service
