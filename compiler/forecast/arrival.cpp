// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/forecast/arrival.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "compiler/kernel/free_memory.hpp"
#include "compiler/kernel/model.hpp"
#include "compiler/plan/cost.hpp"
#include "compiler/plan/planner.hpp"

namespace memonline::forecast {

using model::BlockId;
using model::Bytes;
using model::Host;
using model::OnlineWord;
using model::State;
using model::Zone;
using plan::Source;

namespace {

constexpr std::uint64_t kFourGiB = 4ULL << 30U;

std::uint32_t next_dimm(const Host& host) {
  std::uint32_t next = 0;
  for (const model::Device& device : host.devices)
    if (device.kind == model::Device::Kind::Dimm && device.number)
      next = std::max(next, *device.number + 1);
  return next;
}

bool is_of(const model::Device& device, Source source) {
  if (source == Source::VirtioMem) return device.kind == model::Device::Kind::VirtioMem;
  if (source == Source::Standby) return device.kind == model::Device::Kind::Standby;
  return device.kind == model::Device::Kind::None && device.origin == model::Origin::Hotplugged;
}

// The virtio-mem device of the node, or the only thing that memory without a device belongs to.
std::optional<std::uint32_t> existing_device(const Host& host, const Arrival& arrival) {
  std::optional<std::uint32_t> found;
  for (std::uint32_t i = 0; i < host.devices.size(); ++i) {
    if (!is_of(host.devices[i], arrival.source)) continue;
    const bool here = std::any_of(
        host.blocks.begin(), host.blocks.end(),
        [&](const model::BlockRun& run) { return run.device == i && run.node == arrival.node; });
    if (here) return i;
    if (!found) found = i;
  }
  return found;
}

std::uint32_t device_for(kernel::Model& model, const Host& host, const Arrival& arrival) {
  if (arrival.source == Source::Dimm) {
    const std::uint32_t number = next_dimm(host);
    return model.add_device({model::Device::Kind::Dimm, model::Origin::Hotplugged,
                             fmt::format("dimm{}", number), "", number});
  }
  if (const auto existing = existing_device(host, arrival)) return *existing;
  if (arrival.source == Source::Standby)
    return model.add_device(
        {model::Device::Kind::Standby, model::Origin::Hotplugged, "standby", "", std::nullopt});
  return model.add_device(
      {model::Device::Kind::None, model::Origin::Hotplugged, "none", "", std::nullopt});
}

// The remaining standby memory after `count` blocks at its beginning are configured.
std::vector<model::BlockRange> without_first(std::vector<model::BlockRange> ranges,
                                             std::uint64_t count) {
  if (ranges.empty()) return ranges;
  if (ranges.front().count() <= count)
    ranges.erase(ranges.begin());
  else
    ranges.front().first += count;
  return ranges;
}

Host grown(const Host& host, BlockId first, std::uint64_t count, const Arrival& arrival) {
  kernel::Model model(host);
  const std::uint32_t device = device_for(model, host, arrival);
  // Free addresses of a node that exists: the model has no reason to refuse.
  (void)model.add(first, count, arrival.node, device);
  Host with = model.host();
  with.standby = without_first(with.standby, count);
  return with;
}

// The kernel onlines a device block by block within the add, before anybody else sees it.
Host onlined_by_kernel(const Host& host, BlockId first, std::uint64_t count,
                       const std::string& word) {
  if (word == "offline") return host;
  kernel::Model model(host);
  (void)model.online({first, first + (count - 1)},
                     word == "online_movable"  ? OnlineWord::OnlineMovable
                     : word == "online_kernel" ? OnlineWord::OnlineKernel
                                               : OnlineWord::Online);
  return model.host();
}

Bytes normal_bytes(const plan::Plan& plan) {
  Bytes sum;
  for (const plan::NodeOutcome& node : plan.outcome) sum += node.normal;
  return sum;
}

class Walker {
 public:
  Walker(const sema::Policy& policy, const source::SourceSet& files, Host start, Bytes free,
         const Arrival& arrival, diag::Sink& sink, Work& work)
      : policy_(policy),
        files_(files),
        host_(std::move(start)),
        free_(free),
        arrival_(arrival),
        sink_(sink),
        work_(work) {}

  Walk run() && {
    diag::Sink quiet;
    const auto now = plan::make_plan(policy_, files_, host_, quiet, work_);
    if (!now.plan) return refuse(quiet);
    normal_ = normal_bytes(*now.plan);
    next_ = first_free_block(host_, arrival_);
    walk_.lowest_free = free_;
    walk_.by = now.plan->hotplug.by;
    if (const auto set = now.plan->hotplug.knobs.find(model::Knob::AutoOnlineBlocks);
        set != now.plan->hotplug.knobs.end())
      host_.auto_online_before = setting_before(set->second);
    walk_.rule = now.plan->hotplug.rule;
    for (std::uint64_t left = arrival_.blocks; left > 0 && !walk_.ends_at && !walk_.refused;) {
      const std::uint64_t count = std::min({left, arrival_.per_device, take_standby()});
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

  // Standby memory has its place already: goes on at the first range that is left, and returns how
  // many of its blocks store their memory map alike.
  std::uint64_t take_standby() {
    if (arrival_.source != Source::Standby || host_.standby.empty()) return arrival_.blocks;
    const model::BlockRange range = host_.standby.front();
    next_ = range.first;
    if (!host_.standby_own_map) return range.count();
    const model::BlockSet all({range});
    const model::BlockSet own = intersect(all, model::BlockSet(*host_.standby_own_map));
    const bool first_holds = own.contains(range.first);
    const model::BlockSet alike = first_holds ? own : subtract(all, own);
    return alike.ranges().front().count();
  }

  // Planned again and again, the plan must not take its own setting for the machine's.
  std::string setting_before(const std::string& then) {
    std::string before =
        host_.auto_online_before.value_or(host_.knobs.auto_online_blocks.value_or("offline"));
    host_.knobs.auto_online_blocks = then;
    return before;
  }

  void arrive(std::uint64_t count) {
    Device device;
    device.number = walk_.devices.size() + 1;
    device.blocks = count;
    device.needed = cost_of_adding(host_, arrival_.source, count);
    device.free = free_;
    if (device.needed > free_) {
      walk_.ends_at = device.number;
      walk_.devices.push_back(device);
      return;
    }
    free_ -= device.needed;
    walk_.lowest_free = std::min(walk_.lowest_free, free_);
    online(device);
    walk_.devices.push_back(device);
  }

  void online(Device& device) {
    diag::Sink quiet;
    Host with = grown(host_, next_, device.blocks, arrival_);
    if (walk_.by == plan::Onliner::Corrected || walk_.by == plan::Onliner::Kernel)
      with = onlined_by_kernel(with, next_, device.blocks, kernel_word());
    pay(with, device.needed);
    kernel::follow_use(host_, with);
    if (walk_.by != plan::Onliner::Kernel) with.fresh = {{next_, next_ + (device.blocks - 1)}};
    auto planned = plan::make_plan(policy_, files_, with, quiet, work_);
    if (!planned.plan) {
      walk_ = refuse(quiet);
      return;
    }
    const Bytes normal = normal_bytes(*planned.plan);
    // Blocks that hold their own map are of that much less use.
    const Bytes gained = normal - std::min(normal, normal_);
    const std::uint64_t page = host_.page_size;
    const bool own_map = next_hold_own_map(host_, arrival_.source, device.blocks);
    free_ += own_map ? gained / page * (page - plan::kStructPage) : gained;
    normal_ = normal;
    kernel::follow_use(with, planned.outcome);
    note_runs(planned.outcome, device, planned.plan->hotplug.by);
    next_ += device.blocks;
    host_ = std::move(planned.outcome);
  }

  static void pay(Host& host, Bytes needed) {
    if (!host.memory_available) return;
    *host.memory_available -= std::min(*host.memory_available, needed);
  }

  // DLPAR onlines what it adds, even if the setting is `offline`.
  [[nodiscard]] std::string kernel_word() const {
    const std::string word = host_.knobs.auto_online_blocks.value_or("offline");
    return word == "offline" && arrival_.source == Source::Dlpar ? "online" : word;
  }

  void note_runs(const Host& after, Device& device, plan::Onliner by) {
    const BlockId end = next_ + device.blocks;
    for (const model::BlockRun& run : after.blocks) {
      const BlockId first = std::max(run.first, next_);
      const BlockId last = std::min(run.last(), end - 1);
      if (last < first) continue;
      NewRun part{{first, last}, run.node, std::nullopt};
      if (run.state == State::Online) part.zone = kernel::zone_of(after, run);
      add_run(part);
      if (!part.zone) continue;
      (part.zone == Zone::Movable ? device.movable : device.normal) +=
          host_.block_size * (last - first + 1);
      if (by != plan::Onliner::Service) note_slowness(after, *part.zone);
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
      if (before.blocks.last + 1 == run.blocks.first && before.node == run.node &&
          before.zone == run.zone) {
        before.blocks.last = run.blocks.last;
        return;
      }
    }
    walk_.runs.push_back(run);
  }

  // The additional memory for the remaining devices, if each gives the kernel as much as the one
  // before it.
  void count_shortage(std::uint64_t left) {
    const Bytes gain =
        walk_.devices.size() < 2 ? Bytes(0) : walk_.devices[walk_.devices.size() - 2].normal;
    Bytes needed = walk_.devices.back().needed;
    Bytes have = free_;
    walk_.short_of = needed - have;
    while (left > 0) {
      const std::uint64_t count = std::min(left, arrival_.per_device);
      have += gain;
      needed += cost_of_adding(host_, arrival_.source, count);
      if (needed > have) walk_.short_of = std::max(walk_.short_of, needed - have);
      left -= count;
    }
  }

  const sema::Policy& policy_;
  const source::SourceSet& files_;
  Host host_;
  Bytes free_;
  const Arrival& arrival_;
  diag::Sink& sink_;
  Work& work_;
  Bytes normal_;
  BlockId next_;
  Walk walk_;
};

}  // namespace

// Hot-added memory is above all present memory, and on a PC above 4 GiB, below which buses have
// their addresses; a virtio-mem device continues where it ended. Standby memory is listed (s390x,
// 6.19+).
BlockId first_free_block(const Host& host, const Arrival& arrival) {
  const BlockId end = host.blocks.back().end();
  if (arrival.source == Source::Standby && !host.standby.empty()) return host.standby.front().first;
  if (arrival.source == Source::VirtioMem)
    if (const auto device = existing_device(host, arrival)) {
      BlockId own_end;
      for (const model::BlockRun& run : host.blocks)
        if (run.device == *device) own_end = run.end();
      const auto next =
          std::find_if(host.blocks.begin(), host.blocks.end(),
                       [&](const model::BlockRun& run) { return own_end <= run.first; });
      if (own_end > BlockId(0) &&
          (next == host.blocks.end() || own_end + arrival.blocks <= next->first))
        return own_end;
    }
  // Above the addresses of a PC's buses; elsewhere right behind what is there.
  const bool pc = host.arch.empty() || host.arch == "x86_64" || host.arch == "i686";
  if (arrival.source != Source::Dimm || !pc) return end;
  return std::max(host.block_at(kFourGiB), end);
}

Walk walk(const sema::Policy& policy, const source::SourceSet& files, const Host& start, Bytes free,
          const Arrival& arrival, diag::Sink& sink, Work& work) {
  return Walker(policy, files, start, free, arrival, sink, work).run();
}

}  // namespace memonline::forecast
