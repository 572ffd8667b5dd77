// SPDX-License-Identifier: LGPL-2.1-or-later
// The machine as memonlined sees it. It can read files that users cannot, so that all users plan
// with what root would see; and it has facts that are in no file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/model/block_set.hpp"
#include "compiler/model/host.hpp"

namespace memonline::cli {

/// Facts that only the service has. Empty if there are no problems.
struct ServiceNews {
  struct Failing {
    model::BlockRange blocks;
    int error = 0;  ///< errno, 0: none
    std::string text;
  };
  std::vector<Failing> failing;         ///< blocks that it keeps retrying
  std::vector<std::string> left_alone;  ///< changes by others, a sentence each
  [[nodiscard]] bool empty() const { return failing.empty() && left_alone.empty(); }
};

struct ServiceSnapshot {
  model::Host host;
  ServiceNews news;
};

}  // namespace memonline::cli
