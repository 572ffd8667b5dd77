// SPDX-License-Identifier: LGPL-2.1-or-later
// The era of a host from its blocks, spans and facts (kernel rules 1.1 to 1.8).
#pragma once

#include <string>

#include "compiler/model/host.hpp"

namespace memonline::model {

struct DetectedEra {
  Era era = Era::C1;
  std::string evidence;  ///< "memory_hotplug.online_policy exists"
};

/// Reads host.blocks, host.nodes and host.facts; ignores host.era and host.kernel. Direct evidence
/// in valid_zones wins over the age of unrelated files.
DetectedEra detect_era(const Host& host);

}  // namespace memonline::model
