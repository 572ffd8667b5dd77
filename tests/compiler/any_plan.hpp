// SPDX-License-Identifier: LGPL-2.1-or-later
// Any host and any policy, for property tests: RapidCheck chooses.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <rapidcheck.h>

#include "compiler/model/host.hpp"

namespace memonline::test {

template <class T>
T pick(std::initializer_list<T> values) {
  return *rc::gen::elementOf(std::vector<T>(values));
}

std::uint64_t number(std::uint64_t low, std::uint64_t high);  ///< both included

/// Any state a host of that era can be in: before 4.14 Normal lies below Movable on every node.
model::Host any_host(model::Era era);
model::Era any_era();

std::string any_shares();
std::string any_rules();   ///< rules and `rezone`
std::string any_policy();  ///< the same, with a limit half of the time
std::string any_limit();   ///< per node or overall, a ratio or an amount

}  // namespace memonline::test
