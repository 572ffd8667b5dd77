// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/plan/candidates.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <tuple>
#include <utility>

#include "compiler/kernel/memory_state.hpp"

namespace memonline::plan {

using model::BlockContents;
using model::BlockId;
using model::BlockRun;
using model::Host;

namespace {

constexpr std::uint64_t kUnknownContents = 16;  // as many steps as a full block

Candidate candidate_of(const Host& host, BlockRun run, BlockId first, BlockId last,
                       const BlockContents* contents) {
  Candidate one;
  one.prospect = contents != nullptr ? prospect_of(host, run, *contents) : prospect_of(host, run);
  one.zone = kernel::zone_of(host, run);
  one.boot = host.devices.at(run.device).origin == model::Origin::Boot;
  if (contents != nullptr) one.contents = *contents;
  run.first = first;
  run.count = last - first + 1;
  one.blocks = run;
  return one;
}

/// The pages to move in sixteenths of the block, so that blocks of about the same use keep the
/// order of their addresses.
std::uint64_t cost_of(const Candidate& one, const Host& host) {
  if (one.prospect.chance == Chance::Gone) return 0;
  if (!one.contents) return kUnknownContents;
  const std::uint64_t pages = host.pages_per_block() * one.blocks.count;
  return (one.contents->moving_pages() * kUnknownContents + pages - 1) /
         std::max<std::uint64_t>(pages, 1);
}

/// What a device costs that is removed as a whole.
struct WholeDevice {
  std::uint64_t blocks = 0;
  std::uint64_t cost = 0;
  Chance worst = Chance::Gone;
  BlockId first;
};

std::map<std::uint32_t, WholeDevice> whole_devices(const std::vector<Candidate>& all,
                                                   const Host& host) {
  using Kind = model::Device::Kind;
  std::map<std::uint32_t, WholeDevice> devices;
  for (const Candidate& one : all) {
    const Kind kind = host.devices.at(one.blocks.device).kind;
    if (kind != Kind::Dimm && kind != Kind::Dax) continue;
    WholeDevice& device = devices[one.blocks.device];
    device.blocks += one.blocks.count;
    device.cost += cost_of(one, host) * one.blocks.count;
    device.worst = std::max(device.worst, one.prospect.chance);
    device.first = one.blocks.first;
  }
  std::map<std::uint32_t, std::uint64_t> there;
  for (const BlockRun& run : host.blocks) there[run.device] += run.count;
  for (auto at = devices.begin(); at != devices.end();) {
    const bool whole = at->second.blocks == there[at->first] && at->second.worst <= Chance::Maybe;
    at = whole ? std::next(at) : devices.erase(at);
  }
  return devices;
}

/// The devices to take, the cheapest for each block first, as far as they do not exceed `blocks`.
std::vector<std::uint32_t> devices_within(const std::vector<Candidate>& all, std::uint64_t blocks,
                                          const Host& host) {
  const auto devices = whole_devices(all, host);
  std::vector<std::uint32_t> order;
  order.reserve(devices.size());
  for (const auto& entry : devices) order.push_back(entry.first);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    const auto key = [&](std::uint32_t index) {
      const WholeDevice& device = devices.at(index);
      return std::tuple(device.worst, device.cost / device.blocks, ~device.first.value());
    };
    return key(a) < key(b);
  });
  std::vector<std::uint32_t> taken;
  for (const std::uint32_t index : order) {
    const std::uint64_t count = devices.at(index).blocks;
    if (count > blocks) continue;
    blocks -= count;
    taken.push_back(index);
  }
  std::sort(taken.begin(), taken.end());
  return taken;
}

bool can_join(const Candidate& a, const Candidate& b) {
  return a.blocks.end() == b.blocks.first && a.blocks.same_kind(b.blocks) &&
         a.prospect.chance == b.prospect.chance && a.contents.has_value() == b.contents.has_value();
}

}  // namespace

std::vector<Candidate> candidates_of(const Host& host, const BlockRun& run) {
  std::vector<Candidate> all;
  BlockId next = run.first;
  auto at = model::contents_from(host.contents, run.first);
  for (; at != host.contents.end() && at->block < run.end(); ++at) {
    if (next < at->block) all.push_back(candidate_of(host, run, next, at->block - 1, nullptr));
    all.push_back(candidate_of(host, run, at->block, at->block, &*at));
    next = at->block + 1;
  }
  if (next < run.end()) all.push_back(candidate_of(host, run, next, run.last(), nullptr));
  return all;
}

std::vector<Candidate> by_ease(std::vector<Candidate> all, const Host& host) {
  std::stable_sort(all.begin(), all.end(), [&](const Candidate& a, const Candidate& b) {
    const auto key = [&](const Candidate& c) {
      return std::tuple(c.prospect.chance == Chance::Never, c.boot, c.prospect.chance,
                        cost_of(c, host), ~c.blocks.first.value());
    };
    return key(a) < key(b);
  });
  return all;
}

std::vector<Candidate> easiest(std::vector<Candidate> all, std::uint64_t blocks, const Host& host) {
  std::vector<Candidate> taken;
  std::uint64_t offline = 0;
  for (const Candidate& one : all)
    if (one.prospect.chance == Chance::Gone) offline += one.blocks.count;
  // What is offline already costs nothing, and may be enough.
  const auto devices =
      offline >= blocks ? std::vector<std::uint32_t>{} : devices_within(all, blocks, host);
  const auto is_whole = [&](const Candidate& one) {
    return std::binary_search(devices.begin(), devices.end(), one.blocks.device);
  };
  std::copy_if(all.begin(), all.end(), std::back_inserter(taken), is_whole);
  blocks -= count_of(taken);
  all.erase(std::remove_if(all.begin(), all.end(), is_whole), all.end());
  for (Candidate& one : by_ease(std::move(all), host)) {
    if (blocks == 0 || one.prospect.chance == Chance::Never) break;
    const std::uint64_t count = std::min(blocks, one.blocks.count);
    one.blocks.first = one.blocks.end() - count;
    one.blocks.count = count;
    blocks -= count;
    taken.push_back(std::move(one));
  }
  return taken;
}

std::vector<Candidate> joined(std::vector<Candidate> candidates, const Host& host) {
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return a.blocks.first < b.blocks.first; });
  std::vector<Candidate> all;
  for (Candidate& one : candidates) {
    if (all.empty() || !can_join(all.back(), one)) {
      all.push_back(std::move(one));
      continue;
    }
    Candidate& last = all.back();
    last.blocks.count += one.blocks.count;
    if (last.contents) model::add_contents(*last.contents, *one.contents);
  }
  for (Candidate& one : all)
    if (one.contents) one.prospect = prospect_of(host, one.blocks, *one.contents);
  return all;
}

std::uint64_t count_of(const std::vector<Candidate>& candidates) {
  std::uint64_t sum = 0;
  for (const Candidate& one : candidates) sum += one.blocks.count;
  return sum;
}

}  // namespace memonline::plan
