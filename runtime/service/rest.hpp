// SPDX-License-Identifier: LGPL-2.1-or-later
// The data that a service which exited when idle leaves for the next one, which a memory change or
// a request starts: /run/memonline/resting. While that file exists, the kernel settings stay as the
// policy requires, and udev starts the service on each memory uevent
// (dbus/data/70-memonlined.rules).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/service/kept_lines.hpp"
#include "runtime/service/policy_in_force.hpp"
#include "runtime/service/reconciler.hpp"

namespace memonline::service {

struct Rest {
  /// SHA-256 of each file of the active policy. If the files have changed, the next service reports
  /// drift and writes nothing, as after a reload.
  std::vector<std::string> policies;
  /// The blocks that were online: those that are offline now were offlined by another process.
  model::BlockSet online;
  bool keeps_switches = false;  ///< the settings stay when the service is stopped
  friend bool operator==(const Rest&, const Rest&) = default;
};

std::vector<std::string> digests(const ReadyPolicy* policy);

/// Below Target::run_directory(). Empty: no file, or one of another boot.
std::optional<Rest> read_rest(const std::string& run_directory, const std::string& boot);
Result<std::string, runtime::FileError> write_rest(const std::string& run_directory,
                                                   const std::string& boot, const Rest& rest);
void remove_rest(const std::string& run_directory);

/// What stopping the service would have done, if it has exited when idle: restores the kernel
/// settings and udev's rules. Otherwise does nothing.
Round put_back(Target& target);

}  // namespace memonline::service
