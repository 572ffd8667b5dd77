// SPDX-License-Identifier: LGPL-2.1-or-later
// The kernel model of memory that has no blocks until it is configured: standby memory of s390x
// (/sys/firmware/memory/memoryN/config, kernel rules 9.8 to 9.10; drivers/s390/char/sclp_mem.c,
// 6.19+), and dax devices that the driver kmem makes system RAM (rule 9.11; drivers/dax/kmem.c).
#include <algorithm>

#include "compiler/kernel/model.hpp"
#include "compiler/model/dax.hpp"

namespace memonline::kernel {

using model::BlockId;
using model::BlockRange;
using model::BlockSet;
using model::Device;
using model::State;

namespace {

// sclp_config_mem_store() adds all memory to node 0; a kernel without nodes shows none.
std::optional<model::NodeId> node_of_standby(const MemoryState& state) {
  return state.runs.empty() ? model::NodeId(0) : state.runs.begin()->second.node;
}

model::OnlineWord word_of(const std::string& setting) {
  for (const auto word : {model::OnlineWord::OnlineKernel, model::OnlineWord::OnlineMovable})
    if (model::online_word(word) == setting) return word;
  return model::OnlineWord::Online;
}

BlockSet dax_blocks(const model::Host& host) {
  std::vector<BlockRange> all;
  for (const model::DaxDevice& dax : host.dax_devices)
    all.insert(all.end(), dax.blocks.begin(), dax.blocks.end());
  return BlockSet(std::move(all));
}

std::vector<std::string> dax_in(const model::Host& host, const BlockSet& blocks) {
  std::vector<std::string> names;
  for (const model::DaxDevice& dax : host.dax_devices)
    if (model::touches(blocks, dax.blocks)) names.push_back(dax.name);
  return names;
}

}  // namespace

Result<std::monostate, Refusal> Model::configure(model::WriteRun run) {
  BlockSet blocks({run.range()});
  for (const std::string& name : dax_in(base_, blocks))
    if (auto done = bind(name); !done) return done;
  blocks = subtract(blocks, dax_blocks(base_));
  if (blocks.empty()) return std::monostate{};
  const BlockSet standby(base_.standby);
  const auto is_standby = [](const Device& one) { return one.kind == Device::Kind::Standby; };
  const auto known = std::find_if(state_.devices.begin(), state_.devices.end(), is_standby);
  auto device = static_cast<std::uint32_t>(known - state_.devices.begin());
  for (const BlockRange& part : subtract(blocks, standby))
    if (auto there = present(part); !there) return there;
  const BlockSet added = intersect(blocks, standby);
  if (known == state_.devices.end() && !added.empty())
    device =
        add_device({Device::Kind::Standby, model::Origin::Hotplugged, "standby", "", std::nullopt});
  const auto node = node_of_standby(state_);
  for (const BlockRange& part : added) {
    if (auto done = add(part.first, part.count(), node.value_or(model::NodeId(0)), device); !done)
      return done;
    state_.split_at(part.first.value());
    state_.split_at(part.last.value() + 1);
    state_.runs.at(part.first.value()).node = node;
    state_.merge_around(part.first.value(), part.last.value() + 1);
  }
  base_.standby = subtract(standby, added).ranges();
  return online_by_setting(added);
}

// What the kernel itself does with blocks that are added.
Result<std::monostate, Refusal> Model::online_by_setting(const BlockSet& added) {
  const std::string setting = base_.knobs.auto_online_blocks.value_or("offline");
  if (setting == "offline") return std::monostate{};
  for (const BlockRange& part : added)
    if (const auto placed = online({part.first, part.last}, word_of(setting)); !placed)
      return fail(placed.error());
  return std::monostate{};
}

// All ranges of the device at once, in one memory group.
Result<std::monostate, Refusal> Model::bind(const std::string& name) {
  const auto dax = std::find_if(base_.dax_devices.begin(), base_.dax_devices.end(),
                                [&](const model::DaxDevice& one) { return one.name == name; });
  if (dax->is_system_ram()) return std::monostate{};
  const BlockId first = dax->blocks.front().first;
  if (!dax->driver.empty())
    return fail(Refusal{Errno::Ebusy, first, "another driver has the dax device", {}});
  if (!dax->node) return fail(Refusal{Errno::Einval, first, "the dax device has no node", {}});
  const std::uint32_t device =
      add_device({Device::Kind::Dax, model::Origin::Hotplugged, name, "kmem", std::nullopt});
  for (const BlockRange& part : dax->blocks)
    if (auto done = add(part.first, part.count(), *dax->node, device); !done) return done;
  dax->driver = "kmem";
  return online_by_setting(BlockSet(dax->blocks));
}

// The driver leaves the device: possible while all blocks are offline, and for good otherwise
// (dev_dax_kmem_remove()).
Result<std::monostate, Refusal> Model::unbind(const std::string& name) {
  const auto dax = std::find_if(base_.dax_devices.begin(), base_.dax_devices.end(),
                                [&](const model::DaxDevice& one) { return one.name == name; });
  if (!dax->is_system_ram()) return std::monostate{};
  for (const BlockRange& part : dax->blocks)
    if (auto idle = all_offline(part); !idle) return idle;
  for (const BlockRange& part : dax->blocks)
    if (auto done = remove(part.first, part.count()); !done) return done;
  dax->driver.clear();
  return std::monostate{};
}

// Whether all of these blocks, which exist, are offline.
Result<std::monostate, Refusal> Model::all_offline(const BlockRange& part) const {
  for (auto at = std::prev(state_.runs.upper_bound(part.first.value()));
       at != state_.runs.end() && at->first <= part.last.value(); ++at)
    if (at->second.state != State::Offline)
      return fail(Refusal{Errno::Ebusy,
                          std::max(part.first, BlockId(at->first)),
                          "only offline blocks can be deconfigured",
                          {}});
  return std::monostate{};
}

Result<std::monostate, Refusal> Model::deconfigure(model::WriteRun run) {
  BlockSet blocks({run.range()});
  for (const std::string& name : dax_in(base_, blocks))
    if (auto done = unbind(name); !done) return done;
  blocks = subtract(blocks, dax_blocks(base_));
  const BlockSet standby(base_.standby);
  const BlockSet removed = subtract(blocks, standby);
  for (const BlockRange& part : removed) {
    if (auto there = present(part); !there) return there;
    if (auto idle = all_offline(part); !idle) return idle;
  }
  for (const BlockRange& part : removed)
    if (auto done = remove(part.first, part.count()); !done) return done;
  base_.standby = unite(standby, removed).ranges();
  return std::monostate{};
}

// Whether all of these blocks exist.
Result<std::monostate, Refusal> Model::present(const BlockRange& blocks) const {
  for (std::uint64_t block = blocks.first.value(); block <= blocks.last.value();) {
    const auto after = state_.runs.upper_bound(block);
    const std::uint64_t end =
        after == state_.runs.begin() ? 0 : std::prev(after)->first + std::prev(after)->second.count;
    if (end <= block)
      return fail(Refusal{Errno::Enoent, BlockId(block), "the firmware lists no such memory", {}});
    block = end;
  }
  return std::monostate{};
}

}  // namespace memonline::kernel
