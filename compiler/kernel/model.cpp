// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/kernel/model.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "compiler/kernel/rules.hpp"
#include "compiler/model/knob.hpp"

namespace memonline::kernel {

using model::BlockId;
using model::Era;
using model::OnlineWord;
using model::State;
using model::ValidZones;
using model::WriteRun;
using model::Zone;

namespace {

Choice choose(const MemoryState& state, const StateRun& run, Piece piece, OnlineWord word) {
  if (model::is_era_a(state.era)) return choose_era_a(state, run, piece, word);
  if (state.era == Era::B) return choose_era_b(state, run, piece, word);
  return choose_era_c(state, run, piece, word);
}

// Refuses a block that does not exist, or already has the wanted state (kernel rules 2.4, 2.1).
std::optional<Refusal> refuse_state(const StateRun* run, std::uint64_t block, State wanted) {
  if (run == nullptr) return Refusal{Errno::Enoent, BlockId(block), "no such block", {}};
  if (run->state == wanted)
    return Refusal{
        Errno::Einval,
        BlockId(block),
        wanted == State::Online ? "the block is online already" : "the block is offline already",
        {}};
  return std::nullopt;
}

// The run that holds `block`, and its first block.
const StateRun* find_run(const MemoryState& state, std::uint64_t block, std::uint64_t& first) {
  auto after = state.runs.upper_bound(block);
  if (after == state.runs.begin()) return nullptr;
  const auto at = std::prev(after);
  if (block >= at->first + at->second.count) return nullptr;
  first = at->first;
  return &at->second;
}

void append(std::vector<Placed>& placed, WriteRun blocks, Zone zone) {
  if (!placed.empty() && placed.back().zone == zone) {
    placed.back().blocks.last = blocks.last;
    return;
  }
  placed.push_back({blocks, zone});
}

}  // namespace

namespace {

// param_set_uint(): kstrtouint() with the base the number shows.
std::optional<std::uint64_t> unsigned_parameter(std::string_view text) {
  if (text.substr(0, 1) == "+") text.remove_prefix(1);
  int base = 10;
  if (text.size() > 1 && text[0] == '0') base = text[1] == 'x' || text[1] == 'X' ? 16 : 8;
  if (base == 16) text.remove_prefix(2);
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// param_set_bool(): kstrtobool() reads one character, or two if the first is an `o`.
std::optional<bool> bool_parameter(std::string_view text) {
  const std::string_view first = text.substr(0, 1);
  const std::string_view second = text.size() > 1 ? text.substr(1, 1) : std::string_view{};
  if (first == "y" || first == "Y" || first == "1") return true;
  if (first == "n" || first == "N" || first == "0") return false;
  if (first != "o" && first != "O") return std::nullopt;
  if (second == "n" || second == "N") return true;
  if (second == "f" || second == "F") return false;
  return std::nullopt;
}

}  // namespace

std::string_view errno_name(Errno error) {
  switch (error) {
    case Errno::Einval: return "EINVAL";
    case Errno::Eperm: return "EPERM";
    case Errno::Eexist: return "EEXIST";
    case Errno::Enoent: return "ENOENT";
    case Errno::Ebusy: return "EBUSY";
  }
  return "EINVAL";
}

Model::Model(const model::Host& host) : base_(host), state_(state_of(host)) {}

Result<std::vector<Placed>, Refusal> Model::online(WriteRun run, OnlineWord word) {
  std::vector<Placed> placed;
  const bool down = run.descending();
  std::uint64_t low = run.low().value();
  std::uint64_t end = run.high().value() + 1;
  while (low < end) {
    const std::uint64_t next = down ? end - 1 : low;
    std::uint64_t run_first = 0;
    const StateRun* at = find_run(state_, next, run_first);
    if (const auto refusal = refuse_state(at, next, State::Online)) return fail(*refusal);
    // The largest piece around `next` in one run and between zone boundaries.
    std::uint64_t from = std::max(low, run_first);
    std::uint64_t to = std::min(end, run_first + at->count);
    for (const std::uint64_t cut : state_.boundaries(state_.node_of(*at), from, to)) {
      if (cut <= next) from = cut;
      if (cut > next) {
        to = cut;
        break;
      }
    }
    const Piece piece{from, to - from, down};
    const Choice choice = choose(state_, *at, piece, word);
    if (const auto* refused = std::get_if<Refused>(&choice)) {
      // 3.10 answered EPERM, and had no valid_zones; everything since answers EINVAL.
      Refusal refusal{base_.facts.valid_zones == false ? Errno::Eperm : Errno::Einval,
                      BlockId(next), refused->why, std::nullopt};
      if (refused->in_the_way)
        refusal.in_the_way = BlockId(*refused->in_the_way / state_.pages_per_block);
      return fail(std::move(refusal));
    }
    const Chosen chosen = std::get<Chosen>(choice);
    const std::uint64_t first = down ? end - chosen.count : low;
    place(first, chosen.count, chosen.zone);
    const BlockId bottom(first);
    const BlockId top(first + chosen.count - 1);
    append(placed, down ? WriteRun{top, bottom} : WriteRun{bottom, top}, chosen.zone);
    (down ? end : low) = down ? first : first + chosen.count;
  }
  return placed;
}

// Bookkeeping of a successful online: zone borders (era A) or span and present pages.
void Model::place(std::uint64_t first, std::uint64_t count, Zone zone) {
  state_.split_at(first);
  state_.split_at(first + count);
  StateRun& run = state_.runs.at(first);
  NodeState& node = state_.node_of(run);
  const PageRange range = state_.pages(first, count);
  const std::uint64_t pages = range.end - range.begin;
  if (model::is_era_a(state_.era) && zone != run.zone) {
    if (zone == Zone::Movable) {  // the border moves down
      node[Zone::Normal].span.end = range.begin;
      node[Zone::Movable].extend(range);
    } else {  // the border moves up
      node[Zone::Movable].span.begin = range.end;
      node[Zone::Normal].extend(range);
    }
  } else {
    node[zone].extend(range);
  }
  node[zone].present += pages;
  node[zone].managed += pages;
  if (state_.devices[run.device].origin == model::Origin::Boot) node[zone].early += pages;
  GroupState& group = state_.groups[run.device];
  (zone == Zone::Movable ? group.movable : group.kernel) += pages;
  run.state = State::Online;
  run.zone = zone;
  run.zone_known = true;
  run.mixed = false;
  state_.merge_around(first, first + count);
}

Result<WriteRun, Refusal> Model::offline(WriteRun write) {
  const bool down = write.descending();
  std::uint64_t low = write.low().value();
  std::uint64_t end = write.high().value() + 1;
  while (low < end) {
    const std::uint64_t next = down ? end - 1 : low;
    std::uint64_t run_first = 0;
    const StateRun* at = find_run(state_, next, run_first);
    if (const auto refusal = refuse_state(at, next, State::Offline)) return fail(*refusal);
    if (at->mixed || at->several_nodes)
      return fail(
          Refusal{Errno::Einval, BlockId(next), "the block spans several zones or nodes", {}});
    // offline_pages(), 5.5: what walk_system_ram_range() counts must be the whole block.
    if (at->holes && state_.era >= Era::C2)
      return fail(Refusal{Errno::Einval, BlockId(next), "part of the block is not RAM", {}});
    const std::uint64_t from = std::max(low, run_first);
    const std::uint64_t to = std::min(end, run_first + at->count);
    state_.split_at(from);
    state_.split_at(to);
    StateRun& run = state_.runs.at(from);
    NodeState& node = state_.node_of(run);
    const PageRange range = state_.pages(from, to - from);
    const std::uint64_t pages = range.end - range.begin;
    run.state = State::Offline;
    if (run.zone_known) {
      ZoneState& zone = node[run.zone];
      zone.present -= std::min(zone.present, pages);
      zone.managed -= std::min(zone.managed, pages);
      if (state_.devices[run.device].origin == model::Origin::Boot)
        zone.early -= std::min(zone.early, pages);
      GroupState& group = state_.groups[run.device];
      std::uint64_t& counted = run.zone == Zone::Movable ? group.movable : group.kernel;
      counted -= std::min(counted, pages);
    }
    const Zone was = run.zone;
    const bool known = std::exchange(run.zone_known, true);
    if (!model::is_era_a(state_.era)) run.zone = Zone::Normal;
    if (state_.era >= Era::C2 && known) shrink(node, MemoryState::node_id(run), was, range);
    state_.merge_around(from, to);
    (down ? end : low) = down ? from : to;
  }
  return write;
}

// shrink_zone_span(): only the edges move, and they jump over holes.
void Model::shrink(NodeState& node, model::NodeId id, Zone which, PageRange gone) {
  ZoneState& zone = node[which];
  if (zone.empty()) return;
  const bool at_start = gone.begin <= zone.span.begin;  // else at the end, or inside
  if (!at_start && gone.end < zone.span.end) return;
  if (at_start && gone.end < zone.span.end) {
    const auto begin = state_.first_online(id, which, {gone.end, zone.span.end});
    zone.span = begin ? PageRange{*begin, zone.span.end} : PageRange{0, 0};
  } else {
    const auto end =
        at_start ? std::nullopt : state_.end_online(id, which, {zone.span.begin, gone.begin});
    zone.span = end ? PageRange{zone.span.begin, *end} : PageRange{0, 0};
  }
}

Result<std::monostate, Refusal> Model::set_knob(model::Knob knob, const std::string& value) {
  const auto refuse = [&](Errno error, std::string_view why) {
    return fail(Refusal{error, BlockId{}, fmt::format("{} {}", model::knob_name(knob), why), {}});
  };
  const auto invalid = [&] { return refuse(Errno::Einval, "does not accept this value"); };
  switch (knob) {
    case model::Knob::OnlinePolicy:
      if (value != "contig-zones" && value != "auto-movable") return invalid();
      state_.auto_movable = value == "auto-movable";
      base_.knobs.online_policy = value;
      break;
    case model::Knob::AutoMovableRatio: {
      const auto ratio = unsigned_parameter(value);
      if (!ratio) return invalid();
      state_.ratio = *ratio;
      base_.knobs.auto_movable_ratio = *ratio;
      break;
    }
    case model::Knob::AutoMovableNumaAware: {
      const auto yes = bool_parameter(value);
      if (!yes) return invalid();
      state_.numa_aware = *yes;
      base_.knobs.auto_movable_numa_aware = *yes;
      break;
    }
    case model::Knob::AutoOnlineBlocks: {
      const bool old_words = value == "offline" || value == "online";
      if (!old_words && value != "online_kernel" && value != "online_movable") return invalid();
      base_.knobs.auto_online_blocks = value;
      break;
    }
    case model::Knob::MemmapOnMemory: return refuse(Errno::Eperm, "can be set at boot only");
  }
  return std::monostate{};
}

std::uint32_t Model::add_device(model::Device device) {
  state_.groups.push_back(group_of(device));
  state_.devices.push_back(std::move(device));
  return static_cast<std::uint32_t>(state_.devices.size() - 1);
}

Result<std::monostate, Refusal> Model::add(BlockId first, std::uint64_t count,
                                           model::NodeId node_id, std::uint32_t device) {
  const std::uint64_t begin = first.value();
  const auto next = state_.runs.lower_bound(begin);
  std::uint64_t unused = 0;
  if (find_run(state_, begin, unused) != nullptr ||
      (next != state_.runs.end() && next->first < begin + count))
    return fail(Refusal{Errno::Eexist, first, "memory exists at this address already", {}});
  StateRun run;
  run.count = count;
  run.node = node_id;
  run.device = device;
  NodeState& node = state_.nodes[node_id];
  if (model::is_era_a(state_.era)) {
    // arch_add_memory(), x86: above a Movable zone memory is born Movable, except in 3.10.
    const PageRange range = state_.pages(begin, count);
    const ZoneState& movable = node[Zone::Movable];
    if (!movable.empty() && movable.span.begin <= range.begin) run.zone = Zone::Movable;
    node[run.zone].extend(range);
  }
  state_.groups[device].max_pages += count * state_.pages_per_block;
  state_.runs.emplace(begin, run);
  state_.merge_around(begin, begin + count);
  return std::monostate{};
}

Result<std::monostate, Refusal> Model::remove(BlockId first, std::uint64_t count) {
  const std::uint64_t begin = first.value();
  const std::uint64_t end = begin + count;
  for (std::uint64_t block = begin; block < end;) {
    std::uint64_t run_first = 0;
    const StateRun* run = find_run(state_, block, run_first);
    if (run == nullptr) return fail(Refusal{Errno::Enoent, BlockId(block), "no such block", {}});
    if (run->state != State::Offline)
      return fail(Refusal{Errno::Einval, BlockId(block), "only offline blocks can be removed", {}});
    block = run_first + run->count;
  }
  state_.split_at(begin);
  state_.split_at(end);
  for (auto at = state_.runs.lower_bound(begin); at != state_.runs.end() && at->first < end;) {
    const StateRun run = at->second;
    const PageRange range = state_.pages(at->first, run.count);
    at = state_.runs.erase(at);
    GroupState& group = state_.groups[run.device];
    group.max_pages -= std::min(group.max_pages, range.end - range.begin);
    // Before 5.5 spans shrink here, at removal, instead of at offline.
    if (state_.era < Era::C2)
      for (Zone zone : {Zone::Dma32, Zone::Normal, Zone::Movable})
        shrink(state_.node_of(run), MemoryState::node_id(run), zone, range);
  }
  return std::monostate{};
}

ValidZones Model::zones_of(const StateRun& run, std::uint64_t block) const {
  if (run.online() && !run.zone_known) return ValidZones{};
  if (run.online() && run.shared() && state_.era == Era::C2)
    if (const auto zones = state_.zones_of_pages(block)) return *zones;
  if (run.online() && run.mixed) return ValidZones(ValidZones::Kind::None);
  if (base_.facts.valid_zones == false)  // a reader then knows what the spans prove
    return run.online() ? ValidZones{run.zone} : ValidZones{};
  if (run.mixed) return ValidZones(ValidZones::Kind::None);
  const auto zone_by = [&](OnlineWord word) -> std::optional<Zone> {
    const Choice choice = choose(state_, run, Piece{block, 1, false}, word);
    if (const auto* chosen = std::get_if<Chosen>(&choice)) return chosen->zone;
    return std::nullopt;
  };
  ValidZones zones(ValidZones::Kind::Empty);
  const auto list = [&](std::optional<Zone> zone) {
    if (zone && !zones.contains(*zone)) zones.push_back(*zone);
  };
  if (model::is_era_a(state_.era)) {
    // Membership first, then every zone the block could shift to, online or not.
    list(run.zone);
    list(zone_by(OnlineWord::OnlineKernel));
    list(zone_by(OnlineWord::OnlineMovable));
    return zones;
  }
  if (run.online()) return ValidZones{run.zone};
  if (state_.era != Era::B) list(zone_by(OnlineWord::Online));
  list(zone_by(OnlineWord::OnlineKernel));
  list(zone_by(OnlineWord::OnlineMovable));
  return zones;
}

ValidZones Model::valid_zones(BlockId block) const {
  std::uint64_t first = 0;
  const StateRun* run = find_run(state_, block.value(), first);
  return run == nullptr ? ValidZones{} : zones_of(*run, block.value());
}

model::Host Model::host() const {
  model::Host host = base_;
  host.fingerprint.clear();
  host.devices = state_.devices;
  host.blocks.clear();
  for (const auto& [first, run] : state_.runs) {
    std::vector<std::uint64_t> cuts =
        state_.boundaries(state_.node_of(run), first, first + run.count);
    cuts.push_back(first + run.count);
    std::uint64_t from = first;
    for (const std::uint64_t to : cuts) {
      model::BlockRun block_run{BlockId(from), to - from,         run.state,  zones_of(run, from),
                                run.node,      run.several_nodes, run.device, run.holes};
      append_run(host.blocks, block_run);
      from = to;
    }
  }
  if (!host.zone_spans_known) return host;
  for (const auto& [id, from] : state_.nodes) {
    auto at = std::find_if(host.nodes.begin(), host.nodes.end(),
                           [&, node = id](const model::Node& n) { return n.id == node; });
    if (at == host.nodes.end()) continue;
    for (std::size_t z = 0; z < model::kZoneCount; ++z) {
      // The memory in use is known of the original host.
      if (at->zones[z].present != from.zones[z].present) at->use[z] = {};
      at->zones[z] = {model::Pfn(from.zones[z].span.begin),
                      from.zones[z].span.end - from.zones[z].span.begin, from.zones[z].present,
                      from.zones[z].managed, from.zones[z].cma};
    }
  }
  return host;
}

}  // namespace memonline::kernel
