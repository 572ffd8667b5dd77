// SPDX-License-Identifier: LGPL-2.1-or-later
// From the command line to values: the policies that were named or found, the host that is meant,
// and what the compiler makes of both.
#pragma once

#include <cstdint>
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
#include "runtime/cli/service_sight.hpp"
#include "runtime/policy/load.hpp"

namespace memonline::cli {

using policy::Policies;

/// Reads what --policy and -e name, else the search path below --root. Never fails: what is wrong
/// is in `problems`. No policy at all is no problem yet (see add_no_policy).
Policies load_policies(const Where& where);
/// ML0721, with the directories that were looked at.
void add_no_policy(const Policies& policies, const Where& where, diag::Sink& sink);

/// The host of --root; with `by_service` by way of memonlined where it runs, which has its `news`.
/// A failure is put into `sink` as ML0620.
std::optional<model::Host> load_host(const Where& where, diag::Sink& sink,
                                     ServiceNews* news = nullptr);
/// The same; one that shows no memory blocks is an error, ML0601.
std::optional<model::Host> load_host_with_blocks(const Where& where, diag::Sink& sink,
                                                 ServiceNews* news = nullptr);

/// Everything up to the plan. Stops early: `host` is read only if the policies are right.
struct Compiled {
  Policies policies;
  diag::Sink sink;
  std::optional<sema::Policy> policy;
  std::optional<model::Host> host;
  std::optional<plan::Plan> plan;
  ServiceNews news;
  ExitStatus status = ExitStatus::Done;  ///< what to end with if there is no plan
};
/// Whether what is planned may count on memonlined where it runs.
enum class Service : std::uint8_t { AsItIs, Without };
Compiled compile_for(const Where& where, Service service = Service::AsItIs);
/// For commands that have an answer without a policy, too: the policies there are, checked, and the
/// host, which must have blocks. Without a `host` in it, `status` is what to end with. A host
/// beside a policy with errors is read only on request; there is no `policy` then.
enum class OnPolicyErrors : std::uint8_t { Stop, ReadHost };
Compiled load_for(const Where& where, OnPolicyErrors on_errors = OnPolicyErrors::Stop);
/// The later half of compile_for, for a host that was read already.
void plan_for_host(Compiled& compiled);

/// Warns of the competing onlining agents of a plan that was made, in `sink` and in the plan.
void warn_of_agents(Compiled& compiled);
/// What `plan --exit-code` and `status` end with: the plan's own verdict.
ExitStatus pending_status(const plan::Plan& plan);

/// Diagnostics on standard error, or as a JSON or YAML document on standard output.
ExitStatus report(const diag::Sink& sink, const source::SourceSet& shown, Format format,
                  ColorChoice color, ExitStatus status);

}  // namespace memonline::cli
