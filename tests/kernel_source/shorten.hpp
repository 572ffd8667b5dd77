// SPDX-License-Identifier: LGPL-2.1-or-later
// Shortens a sequence that leads to a difference.
#pragma once

#include <string>
#include <vector>

#include "tests/kernel_source/sequence.hpp"

namespace memonline::kernel_source {

struct Failure {
  Boot boot;
  std::vector<Operation> operations;
  std::string difference;
};

/// The same kind of failure with as few operations, and as plain a boot, as leaving out leads to.
Failure shortened(const ks_api& kernel, Failure failure);

}  // namespace memonline::kernel_source
