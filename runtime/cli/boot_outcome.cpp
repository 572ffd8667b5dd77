// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/cli/boot_outcome.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace memonline::cli {

namespace {

using model::Host;
using model::Zone;

// The kernel rounds where Movable begins to 4 MiB (MAX_ORDER_NR_PAGES in
// find_zone_movable_pfns_for_nodes), and firmware reserves a few pages more or less at each boot.
constexpr std::uint64_t kTolerance = std::uint64_t{4} << 20U;

std::uint64_t hotplugged(const Host& host, model::NodeId node, Zone zone) {
  std::uint64_t blocks = 0;
  for (const model::BlockRun& run : host.blocks) {
    const bool counts = run.state == model::State::Online && run.node == node &&
                        host.devices.at(run.device).origin != model::Origin::Boot &&
                        run.zones.kind() == model::ValidZones::Kind::Listed && run.zones[0] == zone;
    if (counts) blocks += run.count;
  }
  return (host.block_size * blocks).value();
}

void compare(const Host& host, const boot::Predicted& predicted,
             std::vector<ZoneDifference>& differences) {
  const model::NodeId id(predicted.node);
  const model::Node* node = host.find_node(id);
  for (std::size_t i = 0; i < model::kZoneCount; ++i) {
    const Zone zone = static_cast<Zone>(i);
    const std::string name(model::zone_name(zone));
    const auto found = predicted.zones.find(name);
    const std::uint64_t wanted = found == predicted.zones.end() ? 0 : found->second;
    std::uint64_t real = node == nullptr ? 0 : node->zones.at(i).present * host.page_size;
    real -= std::min(real, hotplugged(host, id, zone));
    if (std::max(real, wanted) - std::min(real, wanted) > kTolerance)
      differences.push_back({predicted.node, name, wanted, real});
  }
}

}  // namespace

BootOutcome boot_outcome(const Host& host, const boot::State& state) {
  BootOutcome outcome;
  outcome.parameters = host.own_parameters;
  if (outcome.parameters.empty()) return outcome;
  using Is = BootOutcome::Is;
  const bool booted =
      std::all_of(outcome.parameters.begin(), outcome.parameters.end(),
                  [&](const std::string& word) { return boot::holds(host.command_line, word); });
  outcome.is = booted ? Is::InForce : Is::RebootRequired;
  if (!booted || state.predicted.empty() || !host.zone_spans_known) return outcome;
  for (const boot::Predicted& node : state.predicted) compare(host, node, outcome.differences);
  outcome.is = outcome.differences.empty() ? Is::AsPredicted : Is::NotAsPredicted;
  return outcome;
}

std::string_view outcome_name(BootOutcome::Is is) {
  switch (is) {
    case BootOutcome::Is::None: return "none";
    case BootOutcome::Is::RebootRequired: return "reboot-required";
    case BootOutcome::Is::InForce: return "in-force";
    case BootOutcome::Is::AsPredicted: return "as-predicted";
    case BootOutcome::Is::NotAsPredicted: return "not-as-predicted";
  }
  return "none";
}

std::string outcome_text(const BootOutcome& outcome) {
  const std::string words = boot::joined(outcome.parameters);
  switch (outcome.is) {
    case BootOutcome::Is::None: break;
    case BootOutcome::Is::RebootRequired:
      return fmt::format("Boot: reboot required for `{}`\n", words);
    case BootOutcome::Is::InForce: return fmt::format("Boot: `{}` in effect\n", words);
    case BootOutcome::Is::AsPredicted: return fmt::format("Boot: as predicted with `{}`\n", words);
    case BootOutcome::Is::NotAsPredicted:
      return fmt::format("Boot: not as predicted with `{}`\n", words);
  }
  return {};
}

void add_outcome(const BootOutcome& outcome, diag::Sink& sink) {
  if (outcome.is != BootOutcome::Is::NotAsPredicted) return;
  auto& d = sink.add(diag::Code::BootNotAsPredicted, std::nullopt,
                     fmt::format("boot memory does not match the prediction for `{}`",
                                 boot::joined(outcome.parameters)));
  for (const ZoneDifference& one : outcome.differences)
    d.notes.push_back(fmt::format("node{} {}: {} ({} bytes), predicted {} ({} bytes)", one.node,
                                  one.zone, model::human(model::Bytes(one.real)), one.real,
                                  model::human(model::Bytes(one.predicted)), one.predicted));
  d.help = "run `memonline boot apply` to plan again with the current memory";
}

}  // namespace memonline::cli
