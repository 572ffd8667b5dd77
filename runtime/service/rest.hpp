// SPDX-License-Identifier: LGPL-2.1-or-later
// What a service that has ended because the kernel does all the work leaves for the one that is
// started when memory changes or a request comes: /run/memonline/resting. While that file is there,
// the kernel settings stay as the policy needs them, and udev starts the service on each event of
// the memory (dbus/data/70-memonlined.rules).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/service/keeper.hpp"
#include "runtime/service/kept_lines.hpp"
#include "runtime/service/policy_in_force.hpp"

namespace memonline::service {

struct Rest {
  /// SHA-256 of each file of the policy that was in force. If the files have changed, the next
  /// service reports drift and writes nothing, as after a reload.
  std::vector<std::string> policies;
  /// The blocks that were online: those that are not any more were taken offline by someone.
  model::BlockSet online;
  bool keeps_switches = false;  ///< the settings are to stay when the service is stopped
  friend bool operator==(const Rest&, const Rest&) = default;
};

std::vector<std::string> digests(const ReadyPolicy* policy);

/// Below Target::run_directory(). Empty: there is none, or it is of another boot.
std::optional<Rest> read_rest(const std::string& run_directory, const std::string& boot);
Result<std::string, runtime::FileError> write_rest(const std::string& run_directory,
                                                   const std::string& boot, const Rest& rest);
void remove_rest(const std::string& run_directory);

/// What stopping the service would have done, where it has ended because it was idle: the settings
/// as they were before, and udev's rules. Nothing where it is not at rest.
Round put_back(Target& target);

}  // namespace memonline::service
