// SPDX-License-Identifier: LGPL-2.1-or-later
// The machine as memonlined sees it. It may read what users may not, so that everybody plans with
// what root would see; and it knows what nobody can read anywhere.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/model/host.hpp"

namespace memonline::cli {

/// What only the service knows. Empty where all is well.
struct ServiceNews {
  struct Failing {
    std::uint64_t first = 0, last = 0;
    int error = 0;  ///< errno, 0: none
    std::string text;
  };
  std::vector<Failing> failing;         ///< blocks that it tries again and again
  std::vector<std::string> left_alone;  ///< what others changed, a sentence each
  [[nodiscard]] bool empty() const { return failing.empty() && left_alone.empty(); }
};

struct ServiceSight {
  model::Host host;
  ServiceNews news;
};

}  // namespace memonline::cli
