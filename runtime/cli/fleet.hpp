// SPDX-License-Identifier: LGPL-2.1-or-later
// One policy on many captured hosts at once: what an audit of a fleet begins with.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/model/units.hpp"
#include "compiler/sema/policy.hpp"
#include "compiler/source/source.hpp"
#include "runtime/cli/output.hpp"

namespace memonline::cli {

/// The plan of the policy for one host, summarized.
struct FleetRow {
  std::string host;  ///< the name below the directory
  std::string kernel;
  std::size_t steps = 0;
  bool reboot_required = false;
  std::string verdict;  ///< of the plan, as `status` names it
  ExitStatus pending = ExitStatus::Done;
  model::Bytes normal, movable, offline;  ///< when the plan is done
  std::vector<std::string> warnings;      ///< codes, each once
  std::string problem;  ///< why there is no plan, with its code; empty: there is one
};

/// Every entry of the directory that is not hidden and not README or META.json, in the order of
/// their names, on as many threads as there are processors.
std::vector<FleetRow> plan_fleet(const std::string& directory, const sema::Policy& policy,
                                 const source::SourceSet& files);

/// The table and a line that sums it up; ends with a newline.
std::string fleet_to_text(const std::vector<FleetRow>& rows, bool colored);
/// Schema memonline.fleet/1.
std::string fleet_to_json(const std::vector<FleetRow>& rows);

}  // namespace memonline::cli
