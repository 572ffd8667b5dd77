// SPDX-License-Identifier: LGPL-2.1-or-later
// From the command line to values: the policies that were given or found, the host, and the result
// of the compiler.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/base/result.hpp"
#include "compiler/compile.hpp"
#include "compiler/diag/diagnostic.hpp"
#include "compiler/model/host.hpp"
#include "compiler/sema/policy.hpp"
#include "compiler/source/source.hpp"
#include "runtime/cli/command_options.hpp"
#include "runtime/cli/service_snapshot.hpp"
#include "runtime/host/processes.hpp"
#include "runtime/policy/load.hpp"

namespace memonline::cli {

using policy::Policies;

/// Reads the policies of --policy and -e, else the search path below --root. Never fails: errors
/// are in `problems`. A missing policy is not one of them (see add_no_policy).
Policies load_policies(const Where& where);
/// ML0721, with the directories that were searched.
void add_no_policy(const Policies& policies, const Where& where, diag::Sink& sink);

/// The host of --root; with `by_service` from memonlined if it runs, which also has `news`. A
/// failure is put into `sink` as ML0620.
std::optional<model::Host> load_host(const Where& where, diag::Sink& sink,
                                     ServiceNews* news = nullptr);
/// The same; one that shows no memory blocks is an error, ML0601.
std::optional<model::Host> load_host_with_blocks(const Where& where, diag::Sink& sink,
                                                 ServiceNews* news = nullptr);

/// Reads what these blocks hold, those first that come first, if the kernel of --root shows it, and
/// which processes have pages there; with progress on standard error.
void read_contents_of(const Where& where, const std::vector<model::BlockRange>& blocks,
                      runtime::Processes processes, model::Host& host);

/// Everything up to the plan. Stops early: `host` is read only if the policies are valid.
struct Compiled {
  Policies policies;
  diag::Sink sink;
  std::optional<sema::Policy> policy;
  std::optional<model::Host> host;
  std::optional<plan::Plan> plan;
  std::optional<forecast::Forecast> forecast;
  ServiceNews news;
  ExitStatus status = ExitStatus::Done;  ///< what to end with if there is no plan
};
/// Whether the plan may count on memonlined, if it runs.
enum class Service : std::uint8_t { AsItIs, Without };
Compiled compile_for(const Where& where, Service service = Service::AsItIs,
                     const CompileRequest& request = {});
/// For commands that also work without a policy: the checked policies, and the host, which must
/// have blocks. Without a `host` in it, `status` is what to end with. If a policy has errors, the
/// host is read only on request, and `policy` is empty.
enum class OnPolicyErrors : std::uint8_t { Stop, ReadHost };
Compiled load_for(const Where& where, OnPolicyErrors on_errors = OnPolicyErrors::Stop);
/// The second half of compile_for, for a host that has been read.
void plan_for_host(Compiled& compiled, const CompileRequest& request = {});

/// Warns of the competing onlining agents of a plan that was made, in `sink` and in the plan.
void warn_of_agents(Compiled& compiled);
/// What `plan --exit-code` and `status` end with: the plan's own verdict.
ExitStatus pending_status(const plan::Plan& plan);

/// Diagnostics on standard error, or as a JSON or YAML document on standard output.
ExitStatus report(const diag::Sink& sink, const source::SourceSet& shown, Format format,
                  ColorChoice color, ExitStatus status);

}  // namespace memonline::cli
