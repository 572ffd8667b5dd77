// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/plan/unplug.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "compiler/diag/first_few.hpp"
#include "compiler/kernel/model.hpp"
#include "compiler/model/facts.hpp"
#include "compiler/plan/candidates.hpp"
#include "compiler/plan/missing_facts.hpp"
#include "compiler/plan/outcome.hpp"
#include "compiler/plan/release.hpp"
#include "compiler/plan/room.hpp"

namespace memonline::plan {

using model::BlockRun;
using model::Bytes;
using model::Host;

namespace {

constexpr std::size_t kMaxNames = 8;

std::string devices_text(const Host& host) {
  std::vector<std::string> names = removable_devices(host);
  for (const model::Node& node : host.nodes) names.push_back(fmt::format("node{}", node.id));
  if (names.empty()) return "this host has neither devices nor nodes";
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < kMaxNames; ++i)
    text += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > kMaxNames) text += fmt::format(" and {} more", names.size() - kMaxNames);
  return "available: " + text;
}

// All memory that the request selects, before its size is applied.
std::vector<Candidate> asked_for(const UnplugRequest& request, const Host& host, diag::Sink& sink) {
  std::vector<Candidate> all;
  const auto add = [&](const BlockRun& run) {
    if (request.device.empty() || host.devices.at(run.device).name == request.device)
      for (Candidate& one : candidates_of(host, run)) all.push_back(std::move(one));
  };
  if (!request.selector) {
    for (const BlockRun& run : host.blocks) add(run);
    return all;
  }
  sema::FlatPolicy policy;
  policy.rules.push_back({*request.selector, {}, request.selector->span});
  diag::Sink selecting;
  Work work;  // one rule, of a bounded text
  const Selection selection = select(policy, host, selecting, work);
  for (const Group& group : selection.groups)
    for (const BlockRun& run : group.runs) add(run);
  // The same diagnostics as for a rule, without a location in a policy.
  diag::Sink missing;
  const std::string who = fmt::format("`{}`", request.selected);
  warn_of_undecided(selection.undecided, host, missing, who);
  for (const diag::Diagnostic& d : missing.all())
    sink.add(d.code, std::nullopt, d.message).help = d.help;
  if (all.empty() && !missing.all().empty())
    sink.add(diag::Code::UnplugNothingThere, std::nullopt,
             fmt::format("this host does not show which memory {} selects", who))
        .help = missing.all().front().help;
  else if (all.empty())
    sink.add(diag::Code::UnplugNothingThere, std::nullopt,
             fmt::format("this host has no memory that `{}` selects", request.selected))
        .help = devices_text(host) + "; `memonline status` lists all memory";
  return all;
}

std::vector<Candidate> of_size(const std::vector<Candidate>& all, const UnplugRequest& request,
                               const Host& host, diag::Sink& sink) {
  const std::uint64_t wanted = divided_up(*request.size, host.block_size);
  std::vector<Candidate> taken = easiest(all, wanted, host);
  const std::uint64_t found = count_of(taken);
  if (found == wanted) return taken;
  auto& d = sink.add(
      diag::Code::UnplugTooMuch, std::nullopt,
      fmt::format("cannot unplug {}{}: at most {} can be offlined", model::human(*request.size),
                  request.selected.empty() ? "" : fmt::format(" of {}", request.selected),
                  model::human(host.block_size * found)));
  std::vector<std::string> never;
  for (const Candidate& one : joined(all, host))
    if (one.prospect.chance == Chance::Never)
      never.push_back(fmt::format("{} can never be offlined: {}",
                                  model::range_name(one.blocks.first, one.blocks.last()),
                                  one.prospect.why));
  diag::add_first_few(d, never);
  d.help = "request less; hot-added memory in Movable is the easiest to offline";
  return {};
}

// Blocks with one chance, and its reasons.
struct Those {
  std::uint64_t blocks = 0;
  std::vector<std::string> why;
};

Those those_with(Chance chance, const std::vector<Candidate>& candidates) {
  Those those;
  for (const Candidate& one : candidates) {
    if (one.prospect.chance != chance) continue;
    those.blocks += one.blocks.count;
    those.why.push_back(fmt::format(
        "{}: {}", model::range_name(one.blocks.first, one.blocks.last()), one.prospect.why));
  }
  return those;
}

// False if a requested block can never be offlined.
bool check(const std::vector<Candidate>& candidates, const Host& host, diag::Sink& sink) {
  const Those never = those_with(Chance::Never, candidates);
  if (never.blocks > 0) {
    auto& d =
        sink.add(diag::Code::UnplugBlocked, std::nullopt,
                 fmt::format("{} of the requested blocks can never be offlined", never.blocks));
    diag::add_first_few(d, never.why);
    d.help = host.hot_remove ? "request hot-added memory: a device such as dimm1, or a size"
                             : "this requires a kernel with CONFIG_MEMORY_HOTREMOVE";
    return false;
  }
  return true;
}

void warn_of_unlikely(const std::vector<Candidate>& candidates, diag::Sink& sink) {
  const Those unlikely = those_with(Chance::Unlikely, candidates);
  if (unlikely.blocks == 0) return;
  auto& d = sink.add(
      diag::Code::UnplugUnlikely, std::nullopt,
      fmt::format("offlining {} of the requested blocks is likely to fail", unlikely.blocks));
  diag::add_first_few(d, unlikely.why);
  const auto seen = std::find_if(candidates.begin(), candidates.end(), [](const Candidate& one) {
    return one.prospect.chance == Chance::Unlikely && one.contents;
  });
  if (seen != candidates.end())
    d.help = fmt::format("`memonline explain {} --processes` shows what keeps it online; ",
                         model::block_name(seen->blocks.first));
  d.help +=
      "these blocks are tried first; if one cannot be offlined, all are re-onlined; memory to be "
      "unplugged later should be in Movable";
}

// Blocks that were judged by their zone alone, though this host shows what memory holds.
void note_contents_unknown(const std::vector<Candidate>& candidates, const Host& host,
                           diag::Sink& sink) {
  std::uint64_t judged = 0;
  std::uint64_t unknown = 0;
  for (const Candidate& one : candidates) {
    if (one.prospect.chance == Chance::Gone) continue;
    judged += one.blocks.count;
    unknown += one.contents ? 0 : one.blocks.count;
  }
  const model::Unread* unread = contents_unread(host);
  if (unknown == 0 || (host.contents.empty() && unread == nullptr)) return;
  auto& d = sink.add(diag::Code::ContentsUnknown, std::nullopt,
                     fmt::format("{} of {} blocks are judged by their zone alone: their contents "
                                 "were not read",
                                 unknown, judged));
  if (unread == nullptr) return;
  d.notes.push_back(fmt::format("{}: {}", unread->path, unread->reason));
  if (unread->reason == "permission denied") d.help = "root can read it";
}

void make_steps(std::vector<Candidate> candidates, const Host& host, kernel::Model& model,
                Plan& plan) {
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) {
                     return std::pair(b.prospect.chance, b.blocks.first) <
                            std::pair(a.prospect.chance, a.blocks.first);
                   });
  for (const Candidate& one : candidates) {
    if (one.prospect.chance == Chance::Gone) {
      plan.skipped.push_back({{one.blocks.first, one.blocks.last()},
                              one.blocks.node,
                              "offline",
                              "offline already",
                              {}});
      continue;
    }
    const model::WriteRun down{one.blocks.last(), one.blocks.first};
    if (!model.offline(down)) continue;  // Never, and reported already
    Step step;
    step.number = static_cast<std::uint32_t>(plan.steps.size() + 1);
    OfflineBlocks offline{down, one.blocks.node, one.zone, true, one.prospect.chance};
    if (one.contents) offline.moves = Bytes(one.contents->moving_pages() * host.page_size);
    step.action = offline;
    step.why = fmt::format("{}: {}", chance_text(one.prospect.chance), one.prospect.why);
    plan.steps.push_back(std::move(step));
  }
}

// Movable contains no pages that reclaiming could free and moving cannot.
bool takes_kernel_memory(const Step& step) {
  const auto* offline = std::get_if<OfflineBlocks>(&step.action);
  return offline != nullptr && offline->zone != model::Zone::Movable;
}

// Before the first offline of kernel memory, because the kernel's own pages become fewer by it.
void add_reclaim(Plan& plan, diag::Sink& sink) {
  const auto at = std::find_if(plan.steps.begin(), plan.steps.end(), takes_kernel_memory);
  if (at == plan.steps.end()) {
    sink.add(diag::Code::ReclaimsAll, std::nullopt,
             "nothing is reclaimed: no block of a kernel zone is offlined")
        .help = "reclaiming does not help with blocks in Movable; leave out `--reclaim`";
    return;
  }
  std::vector<Step> steps;
  for (const Reclaim what : {Reclaim::PageCache, Reclaim::Slab, Reclaim::Compact}) {
    Step step;
    step.action = ReclaimMemory{what};
    step.why = "before the first block of a kernel zone is offlined";
    steps.push_back(std::move(step));
  }
  plan.steps.insert(at, steps.begin(), steps.end());
  for (std::size_t i = 0; i < plan.steps.size(); ++i)
    plan.steps[i].number = static_cast<std::uint32_t>(i + 1);
  auto& d = sink.add(diag::Code::ReclaimsAll, std::nullopt,
                     "the plan reclaims page cache and slab on the whole machine, not only in the "
                     "requested blocks");
  d.notes.emplace_back("programs read their files from disk again until the caches are warm");
  d.notes.emplace_back("compaction takes CPU time and delays allocations while it runs");
  d.help = "to move only the contents of the requested blocks, leave out `--reclaim`";
}

// The largest request that fits: the blocks that are the easiest to offline.
void add_shortage(const Shortage& shortage, const std::vector<Candidate>& all, std::uint64_t wanted,
                  const UnplugRequest& request, const Host& host, diag::Sink& sink) {
  std::uint64_t fits = 0;
  std::uint64_t too_much = wanted;
  while (too_much - fits > 1) {
    const std::uint64_t middle = fits + (too_much - fits) / 2;
    kernel::Model model(host);
    Plan plan;
    make_steps(joined(easiest(all, middle, host), host), host, model, plan);
    (shortage_of(plan.steps, host) ? too_much : fits) = middle;
  }
  auto& d = report_shortage(std::get<OfflineBlocks>(shortage.step->action).blocks, shortage.fit, 0,
                            host.block_size, std::nullopt, sink);
  if (fits > 0)
    d.help += fmt::format(", or request less: `--unplug \"{}{}\"` fits",
                          model::exact(host.block_size * fits),
                          request.selected.empty() ? "" : " of " + request.selected);
}

}  // namespace

std::vector<std::string> removable_devices(const Host& host) {
  std::vector<std::string> names;
  for (const model::Device& device : host.devices)
    if (device.kind != model::Device::Kind::Boot && device.kind != model::Device::Kind::None &&
        device.kind != model::Device::Kind::Unknown && device.kind != model::Device::Kind::Driver)
      names.push_back(device.name);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::vector<model::BlockRange> blocks_to_judge(const UnplugRequest& request, const Host& host) {
  diag::Sink quiet;
  std::vector<model::BlockRange> blocks;
  for (const Candidate& one : by_ease(asked_for(request, host, quiet), host))
    if (one.prospect.chance != Chance::Gone && one.prospect.chance != Chance::Never)
      blocks.push_back(one.blocks.range());
  return blocks;
}

std::optional<Plan> plan_unplug(const UnplugRequest& request, const Host& host, diag::Sink& sink) {
  const std::vector<Candidate> all = asked_for(request, host, sink);
  if (all.empty()) return std::nullopt;
  std::vector<Candidate> candidates = request.size ? of_size(all, request, host, sink) : all;
  candidates = joined(std::move(candidates), host);
  if (candidates.empty() || !check(candidates, host, sink)) return std::nullopt;
  kernel::Model model(host);
  Plan plan;
  make_steps(candidates, host, model, plan);
  if (const auto shortage = shortage_of(plan.steps, host)) {
    add_shortage(*shortage, all, count_of(candidates), request, host, sink);
    return std::nullopt;
  }
  add_release(candidates, request.release, host, model, plan);
  if (request.reclaim) add_reclaim(plan, sink);
  warn_of_unlikely(candidates, sink);
  note_contents_unknown(candidates, host, sink);
  note_room_unknown(plan.steps, host, sink);
  plan.hotplug.by = Onliner::Kernel;
  plan.hotplug.why = "unplugging memory does not change the kernel's setting for hot-added memory";
  plan.outcome = outcome_of(model.host(), {});
  const model::Facts facts = model::facts_of(host);
  plan.host = {host.kernel,      std::string(model::era_name(facts.era)),
               facts.arch,       host.fingerprint,
               facts.block_size, model::lines_of(facts)};
  for (const diag::Diagnostic& d : sink.sorted())
    if (!d.span)
      plan.diagnostics.push_back({diag::name_of(d.code), d.severity, d.message, d.help, {}, 0, 0});
  return plan;
}

}  // namespace memonline::plan
