// SPDX-License-Identifier: LGPL-2.1-or-later
// Blocks that a user took offline, in /run/memonline/left-alone: the service writes them down, and
// so do `apply` and `undo` where it does not run. `apply --boot`, which may be started again on a
// running machine, must not bring back what is about to be unplugged; nor must a service that is
// started later.
#pragma once

#include <string>

#include "compiler/model/host.hpp"

namespace memonline::cli {

/// A rule that keeps those blocks as they are. Empty where there are none.
std::string rule_for_left_alone(const std::string& root);

/// A run of a user that changes memory: notes what it has taken offline, and forgets what it has
/// brought back. Nothing while the service runs, which notes it itself.
class OfflineNote {
 public:
  /// `host`: as it was before the run. The lock is held from then to `write`.
  OfflineNote(std::string root, const model::Host& host);
  /// After the run. `offlines`: it may have taken memory offline. Why it could not be noted; empty:
  /// it was.
  [[nodiscard]] std::string write(bool offlines) const;

 private:
  std::string root_;
  model::BlockSet online_before_;
};

}  // namespace memonline::cli
