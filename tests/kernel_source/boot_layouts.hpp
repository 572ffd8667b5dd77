// SPDX-License-Identifier: LGPL-2.1-or-later
// The zones of a boot: kernelcore=, movablecore= and movable_node, parsed and laid out by both.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tests/kernel_source/sequence.hpp"

namespace memonline::kernel_source {

/// Some boots and parameters; what differs, or empty. Adds to `steps` how many there were.
std::optional<std::string> boot_layout(const ks_api& kernel, Random& random, std::uint64_t& steps);

}  // namespace memonline::kernel_source
