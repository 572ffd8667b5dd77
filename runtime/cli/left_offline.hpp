// SPDX-License-Identifier: LGPL-2.1-or-later
// Blocks that a user offlined, in /run/memonline/left-alone: written by the service, and by `apply`
// and `undo` if it is not running. `apply --boot`, which may be started again on a running machine,
// must not re-online blocks that are about to be unplugged; nor must a service that is started
// later.
#pragma once

#include <string>

#include "compiler/model/host.hpp"

namespace memonline::cli {

/// A rule that leaves those blocks unchanged. Empty if there are none.
std::string rule_for_left_alone(const std::string& root);

/// Notes blocks that a run of a user has offlined, and forgets those that it has onlined. Does
/// nothing while the service runs, which notes them itself.
class OfflineNote {
 public:
  /// `host`: as it was before the run. The lock is held from then to `write`.
  OfflineNote(std::string root, const model::Host& host);
  /// After the run. `offlines`: it may have offlined memory. Gives an error message, or nothing.
  [[nodiscard]] std::string write(bool offlines) const;

 private:
  std::string root_;
  model::BlockSet online_before_;
};

}  // namespace memonline::cli
