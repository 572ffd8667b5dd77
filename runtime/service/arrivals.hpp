// SPDX-License-Identifier: LGPL-2.1-or-later
// Memory that came while the service holds auto_online_blocks, and that it has not dealt with yet:
// the kernel did not do with it what it would have done without the service. Which memory was there
// before is in /run/memonline/arrivals, so that also the service that follows a killed one knows.
#pragma once

#include <string>
#include <vector>

#include "compiler/model/host.hpp"
#include "runtime/service/kept_lines.hpp"

namespace memonline::service {

class Arrivals {
 public:
  /// `file` need not exist; what it says of another boot is nothing.
  Arrivals(std::string file, std::string boot);

  /// From now on; what is there has been there. Nothing changes if it had begun before.
  void begin(const model::Host& host);
  void end();
  /// These were removed: what is there again has come.
  void forget(const model::BlockSet& removed);
  /// What came, but for `left_alone`. `offline_only`: what is online was onlined by others.
  [[nodiscard]] std::vector<model::BlockRange> fresh(const model::Host& host, bool offline_only,
                                                     const model::BlockSet& left_alone) const;
  /// All is dealt with but for `pending`.
  void settle(const model::Host& host, const model::BlockSet& pending);
  /// Writes down what has changed, if anything has.
  Result<std::string, runtime::FileError> save();

 private:
  std::string file_, boot_;
  bool begun_ = false;
  bool changed_ = false;
  model::BlockSet known_;
};

}  // namespace memonline::service
