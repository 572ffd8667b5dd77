// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/cli/inputs.hpp"

#include <utility>
#include <variant>

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "compiler/diag/render.hpp"
#include "compiler/plan/agents.hpp"
#include "compiler/plan/planner.hpp"
#include "compiler/sema/analyse.hpp"
#include "runtime/cli/output.hpp"
#include "runtime/cli/progress.hpp"
#include "runtime/cli/service_client.hpp"
#include "runtime/host/contents.hpp"
#include "runtime/host/onlining_agents.hpp"
#include "runtime/host/read_host.hpp"
#include "runtime/host/tree.hpp"

namespace memonline::cli {

namespace {

bool exists(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0;
}

/// False: a service answered that simulates another machine.
bool is_this_kernel(const model::Host& host) {
  utsname name{};
  return ::uname(&name) == 0 && host.kernel == static_cast<const char*>(name.release);
}

}  // namespace

Policies load_policies(const Where& where) {
  return policy::load({where.root, where.policies, where.expressions, where.first_rule});
}

void add_no_policy(const Policies& policies, const Where& where, diag::Sink& sink) {
  auto& d = sink.add(diag::Code::NoPolicy, std::nullopt, "no policy found");
  if (policies.directories.empty())
    d.notes.push_back(
        fmt::format("`{}` is a file, and hosts in files contain no policies", where.root));
  for (const std::string& directory : policies.directories)
    d.notes.push_back(fmt::format("searched {}", directory));
  d.help = "specify one with `--policy FILE`, or try `-e 'hotplugged: movable'`";
}

std::optional<model::Host> load_host(const Where& where, diag::Sink& sink, ServiceNews* news) {
  // Without an answer, the command reads the machine itself: it is the same one.
  if (auto service = where.by_service ? ServiceClient::find(where.root) : std::nullopt)
    if (auto snapshot = service->snapshot()) {
      if (news != nullptr) *news = std::move(snapshot->news);
      // A snapshot does not hold the lines of files; every user may read these.
      if (const auto tree = runtime::open_directory(where.root))
        snapshot->host.agents = runtime::read_onlining_agents(**tree, snapshot->host);
      return std::move(snapshot->host);
    }
  auto host = runtime::read_host(where.root,
                                 where.to_write ? runtime::Detail::ToWrite : runtime::Detail::All);
  if (host) return std::move(*host);
  const runtime::HostError& error = host.error();
  sink.add(diag::Code::HostUnreadable, std::nullopt,
           fmt::format("cannot read the host `{}`: {}",
                       error.path.empty() ? where.root : error.path, error.message));
  return std::nullopt;
}

void read_contents_of(const Where& where, const std::vector<model::BlockRange>& blocks,
                      runtime::Processes processes, model::Host& host) {
  if (where.by_service && !is_this_kernel(host)) return;
  Progress progress;
  const auto show = [&](const char* what) {
    return [&progress, what](std::uint64_t done, std::uint64_t all) {
      progress.show({1, 0, done, all, 0, what});
      return true;
    };
  };
  runtime::read_contents_below(where.root, blocks, host, runtime::kMaxPagesRead,
                               show("reading contents of memory blocks"));
  if (host.contents.empty()) return;
  if (const auto tree = runtime::open_directory(where.root))
    runtime::read_processes(**tree, blocks, processes, host, show("scanning processes"));
}

void plan_for_host(Compiled& compiled, const CompileRequest& request) {
  const sema::Policy none;
  auto planned = compile(compiled.policy ? *compiled.policy : none, compiled.policies.files,
                         *compiled.host, request, std::move(compiled.sink));
  compiled.sink = std::move(planned.diagnostics);
  compiled.plan = std::move(planned.plan);
  compiled.forecast = std::move(planned.forecast);
  if (!compiled.plan) compiled.status = ExitStatus::Failure;
}

std::optional<model::Host> load_host_with_blocks(const Where& where, diag::Sink& sink,
                                                 ServiceNews* news) {
  auto host = load_host(where, sink, news);
  if (!host || host->has_hotplug()) return host;
  // The planner reports it, whatever the policy.
  sink = compile(sema::Policy{}, {}, *host, {}, std::move(sink)).diagnostics;
  return std::nullopt;
}

Compiled load_for(const Where& where, OnPolicyErrors on_errors) {
  Compiled compiled{load_policies(where), {}, {}, {}, {}, {}, {}, ExitStatus::Usage};
  compiled.sink.append(compiled.policies.problems);
  if (!compiled.policies.files.empty())
    compiled.policy = sema::analyse(compiled.policies.files, compiled.sink);
  if (compiled.sink.has_errors()) {
    compiled.policy.reset();
    if (on_errors == OnPolicyErrors::Stop) return compiled;
  } else {
    compiled.status = ExitStatus::Failure;
  }
  compiled.host = load_host_with_blocks(where, compiled.sink, &compiled.news);
  return compiled;
}

Compiled compile_for(const Where& where, Service service, const CompileRequest& request) {
  Compiled compiled{load_policies(where), {}, {}, {}, {}, {}, {}, ExitStatus::Usage};
  compiled.sink.append(compiled.policies.problems);
  if (compiled.policies.none()) {
    // If the root does not exist, that is the error, not the missing policies.
    if (!exists(where.root)) {
      compiled.status = ExitStatus::Failure;
      load_host(where, compiled.sink);
      return compiled;
    }
    add_no_policy(compiled.policies, where, compiled.sink);
  }
  auto policy = sema::analyse(compiled.policies.files, compiled.sink);
  if (compiled.sink.has_errors() || !policy) return compiled;
  compiled.policy = std::move(policy);
  // The rule names blocks of this boot; the policies decide about hot-added memory.
  if (!where.first_rule.empty())
    if (auto* rule = std::get_if<sema::Rule>(&compiled.policy->statements.front()))
      rule->only_present = true;
  if (where.offline) allow_rezone(*compiled.policy);
  compiled.status = ExitStatus::Failure;
  compiled.host = load_host(where, compiled.sink);
  if (!compiled.host) return compiled;
  if (service == Service::Without) compiled.host->service = false;
  compiled.status = ExitStatus::Done;
  plan_for_host(compiled, request);
  return compiled;
}

void warn_of_agents(Compiled& compiled) {
  if (!compiled.plan) return;
  plan::report_agents(compiled.plan->agents, false, plan::Settled::Unsaid, compiled.policies.shown,
                      compiled.sink);
  plan::place_diagnostics(*compiled.plan, compiled.sink, compiled.policies.shown);
}

ExitStatus pending_status(const plan::Plan& plan) {
  using Pending = plan::Judgement::Pending;
  if (!plan.steps.empty() || plan.judgement.pending == Pending::Changes)
    return ExitStatus::ChangesPending;
  return plan.judgement.pending == Pending::Reboot ? ExitStatus::RebootPending : ExitStatus::Done;
}

ExitStatus report(const diag::Sink& sink, const source::SourceSet& shown, Format format,
                  ColorChoice color, ExitStatus status) {
  if (format == Format::Json) return print(diag::to_json(sink.sorted(), shown), status);
  if (format == Format::Yaml) return print(diag::to_yaml(sink.sorted(), shown), status);
  print_error(diag::to_text(sink.sorted(), shown, {color_errors(color)}));
  return status;
}

}  // namespace memonline::cli
