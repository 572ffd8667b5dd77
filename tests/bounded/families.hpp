// SPDX-License-Identifier: LGPL-2.1-or-later
// What is enumerated: families of hosts and policies, each a full product.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>
#include <vector>

#include "tests/bounded/hosts.hpp"

namespace memonline::bounded {

/// How far to enumerate: hosts of up to `ranges` block ranges (besides memory0), policies of up to
/// `shares` shares.
struct Bound {
  unsigned ranges = 2;
  unsigned shares = 2;
};

/// All of these hosts with all of these policies.
struct Family {
  std::string_view name;
  unsigned ranges = 0;  ///< of its largest host
  unsigned shares = 0;  ///< of its largest policy
  std::vector<BoundedHost> hosts;
  std::vector<Policy> policies;
};

/// The families, one after the other, smallest cases first.
void for_each_family(const Bound& bound, const std::function<void(const Family&)>& visit);

}  // namespace memonline::bounded
