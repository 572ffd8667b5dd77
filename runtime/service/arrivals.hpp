// SPDX-License-Identifier: LGPL-2.1-or-later
// Memory that was hot-added while the service holds auto_online_blocks, and that it has not handled
// yet: the kernel did not online it as it would have done without the service. Memory that was
// present before is in /run/memonline/arrivals, so that the service that follows a killed one knows
// it, too.
#pragma once

#include <string>
#include <vector>

#include "compiler/model/host.hpp"
#include "runtime/service/kept_lines.hpp"

namespace memonline::service {

class Arrivals {
 public:
  /// `file` need not exist; the contents of another boot are ignored.
  Arrivals(std::string file, std::string boot);

  /// Starts tracking: present memory is known. Does nothing if tracking has started before.
  void begin(const model::Host& host);
  void end();
  /// These blocks were removed: if they are present again, they were hot-added.
  void forget(const model::BlockSet& removed);
  /// Hot-added memory except `left_alone`. `offline_only`: online blocks were onlined by other
  /// agents.
  [[nodiscard]] std::vector<model::BlockRange> fresh(const model::Host& host, bool offline_only,
                                                     const model::BlockSet& left_alone) const;
  /// All memory was handled except `pending`.
  void settle(const model::Host& host, const model::BlockSet& pending);
  /// Writes the file if anything has changed.
  Result<std::string, runtime::FileError> save();

 private:
  std::string file_, boot_;
  bool begun_ = false;
  bool changed_ = false;
  model::BlockSet known_;
};

}  // namespace memonline::service
