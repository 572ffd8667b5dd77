// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/plan/unplug.hpp"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "compiler/base/overloaded.hpp"
#include "compiler/diag/first_few.hpp"
#include "compiler/kernel/model.hpp"
#include "compiler/model/facts.hpp"
#include "compiler/plan/outcome.hpp"

namespace memonline::plan {

using model::BlockId;
using model::BlockRun;
using model::Host;
using model::State;
using model::Zone;

namespace {

// A part of a run that is asked for.
struct Candidate {
  BlockRun blocks;
  Prospect prospect;
  std::optional<Zone> zone;
  bool boot = false;
};

std::string run_text(BlockId first, BlockId last) {
  if (first == last) return fmt::format("memory{}", first.value());
  return fmt::format("memory{}..{}", first.value(), last.value());
}

Candidate candidate_of(const Host& host, BlockRun run, BlockId first, BlockId last) {
  Candidate one;
  one.prospect = prospect_of(host, run);
  one.zone = kernel::zone_of(host, run);
  one.boot = host.devices.at(run.device).origin == model::Origin::Boot;
  run.first = first;
  run.count = last - first + 1;
  one.blocks = run;
  return one;
}

std::string dimms_text(const Host& host) {
  std::string names;
  for (const model::Device& device : host.devices)
    if (device.kind == model::Device::Kind::Dimm)
      names += (names.empty() ? "" : ", ") + device.name;
  return names.empty() ? "this host shows no DIMM" : "there is " + names;
}

class Picker {
 public:
  Picker(const Host& host, diag::Sink& sink) : host_(host), sink_(sink) {}

  std::vector<Candidate> operator()(const UnplugDimm& dimm) {
    std::vector<Candidate> all;
    for (const BlockRun& run : host_.blocks) {
      const model::Device& device = host_.devices.at(run.device);
      if (device.kind == model::Device::Kind::Dimm && device.number == dimm.number)
        all.push_back(candidate_of(host_, run, run.first, run.last()));
    }
    if (all.empty())
      sink_
          .add(diag::Code::UnplugNothingThere, std::nullopt,
               fmt::format("there are no blocks of dimm{}", dimm.number))
          .help = dimms_text(host_);
    return all;
  }

  std::vector<Candidate> operator()(const UnplugBlocks& wanted) {
    std::vector<Candidate> all;
    for (const BlockRun& run : host_.blocks) {
      const BlockId first = std::max(run.first, wanted.first);
      const BlockId last = std::min(run.last(), wanted.last);
      if (first <= last) all.push_back(candidate_of(host_, run, first, last));
    }
    if (all.empty())
      sink_
          .add(diag::Code::UnplugNothingThere, std::nullopt,
               fmt::format("there is no {}", run_text(wanted.first, wanted.last)))
          .help = "`memonline status` lists the blocks there are";
    return all;
  }

  std::vector<Candidate> operator()(const UnplugSize& size) {
    std::vector<Candidate> all;
    for (const BlockRun& run : host_.blocks)
      if (!size.node || (run.node == size.node && !run.several_nodes))
        all.push_back(candidate_of(host_, run, run.first, run.last()));
    if (all.empty()) {
      sink_
          .add(diag::Code::UnplugNothingThere, std::nullopt,
               fmt::format("node{} has no blocks of its own", size.node->value()))
          .help = "`memonline status` lists nodes and blocks";
      return {};
    }
    // Boot memory can go offline, but nobody takes it out: only hot-added memory that is offline
    // needs nothing done.
    std::stable_sort(all.begin(), all.end(), [](const Candidate& a, const Candidate& b) {
      const auto key = [](const Candidate& c) {
        return std::tuple(c.prospect.chance == Chance::Never, c.boot, c.prospect.chance,
                          ~c.blocks.first.value());
      };
      return key(a) < key(b);
    });
    return enough_of(all, size);
  }

 private:
  std::vector<Candidate> enough_of(const std::vector<Candidate>& all, const UnplugSize& size) {
    const std::uint64_t bs = host_.block_size.value();
    const std::uint64_t wanted = size.bytes.value() / bs + (size.bytes.value() % bs != 0 ? 1 : 0);
    std::uint64_t owed = wanted;
    std::vector<Candidate> taken;
    for (Candidate one : all) {
      if (owed == 0 || one.prospect.chance == Chance::Never) break;
      const std::uint64_t count = std::min(owed, one.blocks.count);
      one.blocks.first = one.blocks.end() - count;
      one.blocks.count = count;
      owed -= count;
      taken.push_back(std::move(one));
    }
    if (owed == 0) return taken;
    auto& d = sink_.add(
        diag::Code::UnplugTooMuch, std::nullopt,
        fmt::format("{} could be unplugged{}, {} are asked for",
                    model::human(model::Bytes((wanted - owed) * bs)),
                    size.node ? fmt::format(" of node{}", size.node->value()) : std::string(),
                    model::human(size.bytes)));
    std::vector<std::string> never;
    for (const Candidate& one : all)
      if (one.prospect.chance == Chance::Never)
        never.push_back(fmt::format("{} never goes offline: {}",
                                    run_text(one.blocks.first, one.blocks.last()),
                                    one.prospect.why));
    diag::add_first_few(d, never);
    d.help = "ask for less; Movable memory that was hot-added goes most easily";
    return {};
  }

  const Host& host_;
  diag::Sink& sink_;
};

// False if something asked for can never go.
bool check(const std::vector<Candidate>& candidates, const Host& host, diag::Sink& sink) {
  std::uint64_t never = 0;
  std::uint64_t unlikely = 0;
  std::vector<std::string> never_why;
  std::vector<std::string> unlikely_why;
  const auto count = [](const Candidate& one, std::uint64_t& sum, std::vector<std::string>& why) {
    sum += one.blocks.count;
    why.push_back(
        fmt::format("{}: {}", run_text(one.blocks.first, one.blocks.last()), one.prospect.why));
  };
  for (const Candidate& one : candidates) {
    if (one.prospect.chance == Chance::Never) count(one, never, never_why);
    if (one.prospect.chance == Chance::Unlikely) count(one, unlikely, unlikely_why);
  }
  if (never > 0) {
    auto& d = sink.add(diag::Code::UnplugBlocked, std::nullopt,
                       fmt::format("{} of the blocks asked for can never go offline", never));
    diag::add_first_few(d, never_why);
    d.help = host.hot_remove ? "ask for memory that came later, `dimmN` or a size"
                             : "this takes a kernel with CONFIG_MEMORY_HOTREMOVE";
    return false;
  }
  if (unlikely > 0) {
    auto& d = sink.add(diag::Code::UnplugUnlikely, std::nullopt,
                       fmt::format("{} of the blocks asked for will hardly go offline", unlikely));
    diag::add_first_few(d, unlikely_why);
    d.help =
        "they are tried first, and everything comes back if one cannot go; memory that is to be "
        "unplugged belongs into Movable";
  }
  return true;
}

void make_steps(std::vector<Candidate> candidates, kernel::Model& model, Plan& plan) {
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) {
                     return std::pair(b.prospect.chance, b.blocks.first) <
                            std::pair(a.prospect.chance, a.blocks.first);
                   });
  for (const Candidate& one : candidates) {
    if (one.prospect.chance == Chance::Gone) {
      plan.skipped.push_back(
          {one.blocks.first, one.blocks.last(), one.blocks.node, "offline", "offline already", {}});
      continue;
    }
    const WriteRun down{one.blocks.last(), one.blocks.first};
    if (!model.offline(down)) continue;  // what the model refuses is Never, and was an error
    Step step;
    step.number = static_cast<std::uint32_t>(plan.steps.size() + 1);
    step.action = OfflineBlocks{down, one.blocks.node, one.zone, true,
                                std::string(chance_name(one.prospect.chance))};
    step.why = fmt::format("{} to go: {}", chance_name(one.prospect.chance), one.prospect.why);
    plan.steps.push_back(std::move(step));
  }
}

}  // namespace

std::string_view chance_name(Chance chance) {
  switch (chance) {
    case Chance::Gone: return "gone";
    case Chance::Likely: return "likely";
    case Chance::Maybe: return "maybe";
    case Chance::Unlikely: return "unlikely";
    case Chance::Never: break;
  }
  return "never";
}

Prospect prospect_of(const Host& host, const BlockRun& run) {
  using Kind = model::ValidZones::Kind;
  const bool boot = host.devices.at(run.device).origin == model::Origin::Boot;
  if (run.state == State::Offline) return {Chance::Gone, "offline already"};
  if (!host.hot_remove)
    return {Chance::Never, "this kernel was built without CONFIG_MEMORY_HOTREMOVE"};
  if (run.several_nodes || run.zones.kind() == Kind::None)
    return {Chance::Never, "the block spans several zones or nodes (EINVAL)"};
  if (run.holes && host.era >= model::Era::C2)
    return {Chance::Never, "part of the block is no RAM (EINVAL)"};
  if (boot && host.arch == "aarch64")
    return {Chance::Never, "arm64 keeps all boot memory online (EPERM)"};
  if (run.state != State::Online || run.zones.kind() != Kind::Listed)
    return {Chance::Maybe, "its zone is unknown"};
  if (run.zones[0] != Zone::Movable)
    return {Chance::Unlikely, fmt::format("{}, where one page that cannot be moved keeps it{}",
                                          model::zone_name(run.zones[0]),
                                          boot ? "; early boot memory is in use most of all" : "")};
  if (boot)
    return {Chance::Maybe, "Movable boot memory; what boot allocated there cannot be moved"};
  return {Chance::Likely, "Movable, and came after boot"};
}

std::optional<Plan> plan_unplug(const UnplugRequest& request, const Host& host, diag::Sink& sink) {
  Picker picker(host, sink);
  auto candidates = std::visit([&](const auto& one) { return picker(one); }, request);
  if (candidates.empty() || !check(candidates, host, sink)) return std::nullopt;
  kernel::Model model(host);
  Plan plan;
  make_steps(std::move(candidates), model, plan);
  plan.hotplug.by = "kernel";
  plan.hotplug.why = "taking memory out leaves the kernel's setting for new memory as it is";
  plan.outcome = outcome_of(model.host(), {});
  const model::Facts facts = model::facts_of(host);
  plan.host = {host.kernel,      std::string(model::era_name(facts.era)),
               facts.arch,       host.fingerprint,
               facts.block_size, model::lines_of(facts)};
  for (const diag::Diagnostic& d : sink.sorted())
    if (!d.span)
      plan.diagnostics.push_back({diag::name_of(d.code),
                                  std::string(diag::severity_name(d.severity)),
                                  d.message,
                                  d.help,
                                  {},
                                  0,
                                  0});
  return plan;
}

}  // namespace memonline::plan
