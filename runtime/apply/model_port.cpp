// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/apply/model_port.hpp"

#include <algorithm>
#include <cstring>
#include <thread>

namespace memonline::apply {

namespace {

plan::OnlineWord word_of(std::string_view word) {
  for (const auto known : {plan::OnlineWord::OnlineKernel, plan::OnlineWord::OnlineMovable})
    if (plan::online_word(known) == word) return known;
  return plan::OnlineWord::Online;
}

KnobView shown(std::string_view value) {
  KnobView view;
  view.size = std::min(value.size(), view.text.size());
  std::memcpy(view.text.data(), value.data(), view.size);
  return view;
}

KnobView absent() {
  KnobView view;
  view.error = ENOENT;
  return view;
}

std::uint64_t online_bytes(const model::Host& host) {
  std::uint64_t blocks = 0;
  for (const model::BlockRun& run : host.blocks)
    if (run.state == model::State::Online) blocks += run.count;
  return host.block_size.value() * blocks;
}

// `before`, when what it is part of went from `from` to `to`.
std::uint64_t changed(std::uint64_t before, std::uint64_t from, std::uint64_t to) {
  return to >= from ? before + (to - from) : before - std::min(before, from - to);
}

// Blocks come online empty. Of those that go offline the pages in use move elsewhere, so that less
// is free there.
void follow_use(const model::Host& start, model::Host& now) {
  if (now.memory_available)
    now.memory_available = model::Bytes(
        changed(now.memory_available->value(), online_bytes(start), online_bytes(now)));
  for (model::Node& node : now.nodes) {
    const model::Node* before = start.find_node(node.id);
    if (before == nullptr) continue;
    std::uint64_t was = 0;
    std::uint64_t is = 0;
    for (std::size_t z = 0; z < node.zones.size(); ++z) {
      const std::uint64_t present = node.zones[z].present;
      const std::uint64_t at_start = before->zones[z].present;
      was += at_start;
      is += present;
      if (present == at_start) continue;
      node.use[z] = before->use[z];
      if (at_start == 0) node.use[z] = {present, 0, 0};
      if (at_start > 0 && node.use[z].free)
        node.use[z].free = changed(*node.use[z].free, at_start, present);
    }
    if (node.memory.free)
      node.memory.free =
          model::Bytes(changed(node.memory.free->value(), was * now.page_size, is * now.page_size));
  }
}

}  // namespace

model::Host SharedModel::host() const {
  const std::lock_guard lock(mutex_);
  model::Host host = model_.host();
  follow_use(start_, host);
  return host;
}

BlockView SharedModel::look(BlockId block) const {
  const std::lock_guard lock(mutex_);
  BlockView view;
  const model::Host host = model_.host();
  const model::BlockRun* run = host.find_block(block);
  if (run == nullptr) {
    view.error = ENOENT;
    return view;
  }
  view.state = run->state;
  view.zones = run->zones;
  return view;
}

int SharedModel::write_state(BlockId block, std::string_view word) {
  const BlockView view = look(block);
  if (view.error != 0) return view.error;
  if ((view.state == model::State::Offline) == (word == "offline")) return EINVAL;
  const std::lock_guard lock(mutex_);
  if (const auto refusal = refusals_.find(block); refusal != refusals_.end())
    return refusal->second;
  const plan::WriteRun run{block, block};
  const bool done = word == "offline" ? model_.offline(run).has_value()
                                      : model_.online(run, word_of(word)).has_value();
  return done ? 0 : EINVAL;
}

void SharedModel::refuse(BlockId block, int error) {
  const std::lock_guard lock(mutex_);
  if (error == 0)
    refusals_.erase(block);
  else
    refusals_[block] = error;
}

int SharedModel::write_knob(std::string_view knob, const std::string& value) {
  if (read_knob(knob).error != 0) return ENOENT;
  const std::lock_guard lock(mutex_);
  return model_.set_knob(knob, value) ? 0 : EINVAL;
}

KnobView SharedModel::read_knob(std::string_view knob) const {
  const model::Knobs knobs = host().knobs;
  if (knob == "auto_online_blocks" && knobs.auto_online_blocks)
    return shown(*knobs.auto_online_blocks);
  if (knob == "online_policy" && knobs.online_policy) return shown(*knobs.online_policy);
  if (knob == "auto_movable_ratio" && knobs.auto_movable_ratio)
    return shown(std::to_string(*knobs.auto_movable_ratio));
  if (knob == "auto_movable_numa_aware" && knobs.auto_movable_numa_aware)
    return shown(*knobs.auto_movable_numa_aware ? "Y" : "N");
  return absent();
}

BlockId SharedModel::add_dimm(std::uint64_t blocks, model::NodeId node) {
  const std::lock_guard lock(mutex_);
  const model::Host host = model_.host();
  std::uint32_t number = 0;
  for (const model::Device& device : host.devices)
    if (device.number) number = std::max(number, *device.number + 1);
  model::Device dimm;
  dimm.kind = model::Device::Kind::Dimm;
  dimm.origin = model::Origin::Hotplugged;
  dimm.name = "dimm" + std::to_string(number);
  dimm.number = number;
  const BlockId first = host.blocks.empty() ? BlockId(0) : host.blocks.back().end();
  (void)model_.add(first, blocks, node, model_.add_device(dimm));
  if (const auto& word = host.knobs.auto_online_blocks; word && *word != "offline")
    (void)model_.online({first, first + (blocks - 1)}, word_of(*word));
  return first;
}

int ModelPort::write_state(BlockId block, std::string_view word) noexcept {
  if (latency_.count() > 0) std::this_thread::sleep_for(latency_);
  return kernel_->write_state(block, word);
}

void ModelPort::pause(std::chrono::milliseconds time) noexcept {
  std::this_thread::sleep_for(time);
}

}  // namespace memonline::apply
