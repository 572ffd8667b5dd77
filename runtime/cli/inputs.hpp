// SPDX-License-Identifier: LGPL-2.1-or-later
// From the command line to values: the policies that were named or found, the host that is meant,
// and what the compiler makes of both.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compiler/base/result.hpp"
#include "compiler/diag/diagnostic.hpp"
#include "compiler/model/host.hpp"
#include "compiler/plan/planner.hpp"
#include "compiler/sema/policy.hpp"
#include "compiler/source/source.hpp"
#include "runtime/cli/command_line.hpp"

namespace memonline::cli {

struct Policies {
  source::SourceSet files;  ///< what the compiler reads
  source::SourceSet shown;  ///< `files`, then the YAML around them: what diagnostics point into
  diag::Sink problems;      ///< unreadable files, mistakes in packages
  std::vector<std::string> directories;  ///< the search path, if it was used
  [[nodiscard]] bool none() const { return files.empty() && !problems.has_errors(); }
};

/// Reads what --policy and -e name, else the search path below --root. Never fails: what is wrong
/// is in `problems`. No policy at all is no problem yet (see add_no_policy).
Policies load_policies(const Where& where);
/// ML0721, with the directories that were looked at.
void add_no_policy(const Policies& policies, const Where& where, diag::Sink& sink);

/// The host of --root. A failure is put into `sink` as ML0620.
std::optional<model::Host> load_host(const Where& where, diag::Sink& sink);

/// ML0601 in the words of the planner, for commands that need blocks also without a policy.
void add_no_hotplug(const model::Host& host, diag::Sink& sink);

/// Everything up to the plan. Stops early: `host` is read only if the policies are right.
struct Compiled {
  Policies policies;
  diag::Sink sink;
  std::optional<sema::Policy> policy;
  std::optional<model::Host> host;
  std::optional<plan::Plan> plan;
  ExitStatus status = ExitStatus::Done;  ///< what to end with if there is no plan
};
Compiled compile_for(const Where& where);
/// The later half of it, for a host that was read already.
void plan_for_host(Compiled& compiled);

/// Diagnostics on standard error, or as a JSON document on standard output.
ExitStatus report(const diag::Sink& sink, const source::SourceSet& shown, Format format,
                  ColorChoice color, ExitStatus status);

}  // namespace memonline::cli
