// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/forecast/arrival.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "compiler/kernel/model.hpp"
#include "compiler/plan/planner.hpp"

namespace memonline::forecast {

using model::BlockId;
using model::Host;
using model::State;
using model::Zone;

namespace {

// Hot-added memory lies above what is there, and above 4 GiB, where buses have their addresses.
BlockId first_free_block(const Host& host) {
  const std::uint64_t four_gib = (4ULL << 30U) / host.block_size.value();
  return BlockId(std::max(four_gib, host.blocks.back().end().value()));
}

std::uint32_t next_dimm(const Host& host) {
  std::uint32_t next = 0;
  for (const model::Device& device : host.devices)
    if (device.kind == model::Device::Kind::Dimm && device.number)
      next = std::max(next, *device.number + 1);
  return next;
}

Host grown(const Host& host, BlockId first, std::uint64_t count, model::NodeId node) {
  kernel::Model model(host);
  const std::uint32_t number = next_dimm(host);
  const std::uint32_t device =
      model.add_device({model::Device::Kind::Dimm, model::Origin::Hotplugged,
                        fmt::format("dimm{}", number), "", number});
  // Free addresses of a node that exists: the model has no reason to refuse.
  (void)model.add(first, count, node, device);
  return model.host();
}

std::uint64_t normal_bytes(const plan::Plan& plan) {
  std::uint64_t sum = 0;
  for (const plan::NodeOutcome& node : plan.outcome) sum += node.normal.value();
  return sum;
}

class Walker {
 public:
  Walker(const sema::Policy& policy, const source::SourceSet& files, Host start, std::uint64_t free,
         const Arrival& arrival, diag::Sink& sink)
      : policy_(policy),
        files_(files),
        host_(std::move(start)),
        free_(free),
        arrival_(arrival),
        sink_(sink) {}

  Walk run() && {
    diag::Sink quiet;
    const auto now = plan::make_plan(policy_, files_, host_, quiet);
    if (!now.plan) return refuse(quiet);
    normal_ = normal_bytes(*now.plan);
    next_ = first_free_block(host_);
    walk_.lowest_free = free_;
    walk_.by = now.plan->hotplug.by;
    walk_.rule = now.plan->hotplug.rule;
    for (std::uint64_t left = arrival_.blocks; left > 0 && !walk_.ends_at && !walk_.refused;) {
      const std::uint64_t count = std::min(left, arrival_.per_device);
      arrive(count);
      left -= count;
      if (walk_.ends_at) count_shortage(left);
    }
    return std::move(walk_);
  }

 private:
  Walk refuse(const diag::Sink& why) {
    sink_.append_errors(why);
    walk_.refused = true;
    return std::move(walk_);
  }

  void arrive(std::uint64_t count) {
    Device device;
    device.number = walk_.devices.size() + 1;
    device.blocks = count;
    device.needed = cost_of_adding(host_, count);
    device.free = model::Bytes(free_);
    if (device.needed.value() > free_) {
      walk_.ends_at = device.number;
      walk_.devices.push_back(device);
      return;
    }
    free_ -= device.needed.value();
    walk_.lowest_free = std::min(walk_.lowest_free, free_);
    online(device);
    walk_.devices.push_back(device);
  }

  void online(Device& device) {
    diag::Sink quiet;
    const Host with = grown(host_, next_, device.blocks, arrival_.node);
    auto planned = plan::make_plan(policy_, files_, with, quiet);
    if (!planned.plan) {
      walk_ = refuse(quiet);
      return;
    }
    const std::uint64_t normal = normal_bytes(*planned.plan);
    // Blocks that hold their own map are of that much less use.
    const std::uint64_t gained = normal - std::min(normal, normal_);
    const std::uint64_t page = host_.page_size;
    free_ += holds_own_map(host_, device.blocks) ? gained / page * (page - kStructPage) : gained;
    normal_ = normal;
    note_runs(planned.outcome, device, planned.plan->hotplug.by);
    next_ = next_ + device.blocks;
    host_ = std::move(planned.outcome);
  }

  void note_runs(const Host& after, Device& device, const std::string& by) {
    const BlockId end = next_ + device.blocks;
    const std::uint64_t bs = host_.block_size.value();
    for (const model::BlockRun& run : after.blocks) {
      const BlockId first = std::max(run.first, next_);
      const BlockId last = std::min(run.last(), end - 1);
      if (last < first) continue;
      NewRun part{first, last, run.node, std::nullopt};
      if (run.state == State::Online) part.zone = kernel::zone_of(after, run);
      add_run(part);
      if (!part.zone) continue;
      (part.zone == Zone::Movable ? device.movable : device.normal) +=
          model::Bytes((last - first + 1) * bs);
      if (by == "kernel") note_slowness(after, *part.zone);
    }
  }

  void note_slowness(const Host& after, Zone zone) {
    const model::Node* node = after.find_node(arrival_.node);
    if (node == nullptr) return;
    const model::ZoneSpan& span = node->zones.at(static_cast<std::size_t>(zone));
    const std::uint64_t blocks = span.present / after.pages_per_block();
    if (span.present == span.spanned && blocks > kQuickBlocks) walk_.slow_blocks = blocks;
  }

  void add_run(const NewRun& run) {
    if (!walk_.runs.empty()) {
      NewRun& before = walk_.runs.back();
      if (before.last + 1 == run.first && before.node == run.node && before.zone == run.zone) {
        before.last = run.last;
        return;
      }
    }
    walk_.runs.push_back(run);
  }

  // What else is needed for the devices from here on, if each gives the kernel as much as the one
  // before it did.
  void count_shortage(std::uint64_t left) {
    const std::uint64_t gain =
        walk_.devices.size() < 2 ? 0 : walk_.devices[walk_.devices.size() - 2].normal.value();
    std::uint64_t needed = walk_.devices.back().needed.value();
    std::uint64_t have = free_;
    walk_.short_of = needed - have;
    while (left > 0) {
      const std::uint64_t count = std::min(left, arrival_.per_device);
      have += gain;
      needed += cost_of_adding(host_, count).value();
      if (needed > have) walk_.short_of = std::max(walk_.short_of, needed - have);
      left -= count;
    }
  }

  const sema::Policy& policy_;
  const source::SourceSet& files_;
  Host host_;
  std::uint64_t free_;
  const Arrival& arrival_;
  diag::Sink& sink_;
  std::uint64_t normal_ = 0;
  BlockId next_;
  Walk walk_;
};

}  // namespace

Walk walk(const sema::Policy& policy, const source::SourceSet& files, const Host& start,
          std::uint64_t free, const Arrival& arrival, diag::Sink& sink) {
  return Walker(policy, files, start, free, arrival, sink).run();
}

}  // namespace memonline::forecast
