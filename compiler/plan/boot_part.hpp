// SPDX-License-Identifier: LGPL-2.1-or-later
// The boot parameters of a plan, and which requests they satisfy at the next boot.
#pragma once

#include <string>

#include "compiler/plan/plan.hpp"

namespace memonline::plan {

struct BootPart {
  Boot boot;
  /// The word that the plan adds and that splits boot memory as the policy says; empty: none does.
  std::string splits_boot_memory;
  /// The word that the plan adds so that DIMMs present at boot come online as the policy says.
  std::string places_dimms;
};

}  // namespace memonline::plan
