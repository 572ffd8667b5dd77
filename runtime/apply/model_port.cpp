// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/apply/model_port.hpp"

#include <algorithm>
#include <cstring>
#include <thread>

#include "compiler/kernel/free_memory.hpp"
#include "compiler/model/dax.hpp"
#include "compiler/model/knob.hpp"

namespace memonline::apply {

namespace {

model::OnlineWord word_of(std::string_view word) {
  for (const auto known : {model::OnlineWord::OnlineKernel, model::OnlineWord::OnlineMovable})
    if (model::online_word(known) == word) return known;
  return model::OnlineWord::Online;
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

}  // namespace

SharedModel::SharedModel(const model::Host& host) : start_(host), model_(host) {
  if (host.standby_own_map)
    for (const model::BlockRange& range : *host.standby_own_map)
      for (const BlockId block : range) own_maps_[block] = true;
}

model::Host SharedModel::host() const {
  const std::lock_guard lock(mutex_);
  model::Host host = model_.host();
  if (host.standby_own_map) {
    model::BlockSet set;
    for (const auto& [block, own] : own_maps_)
      if (own) set.add(block);
    host.standby_own_map = intersect(set, model::BlockSet(host.standby)).ranges();
  }
  kernel::follow_use(start_, host);
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
  const model::WriteRun run{block, block};
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

int SharedModel::write_knob(model::Knob knob, const std::string& value) {
  if (read_knob(knob).error != 0) return ENOENT;
  const std::lock_guard lock(mutex_);
  return model_.set_knob(knob, value) ? 0 : EINVAL;
}

KnobView SharedModel::read_knob(model::Knob knob) const {
  const auto value = model::can_be_set(knob) ? model::knob_value(host().knobs, knob) : std::nullopt;
  return value ? shown(*value) : absent();
}

StandbyView SharedModel::look_at_standby(BlockId block) const {
  StandbyView view;
  const std::lock_guard lock(mutex_);
  const model::Host host = model_.host();
  view.configured = host.find_block(block) != nullptr;
  const bool listed = view.configured || model::BlockSet(host.standby).contains(block);
  if (!host.configures_standby || !listed) view.error = ENOENT;
  const auto own = own_maps_.find(block);
  view.own_map = own != own_maps_.end() && own->second;
  return view;
}

int SharedModel::write_standby(BlockId block, StandbyFile file, bool value) {
  const StandbyView view = look_at_standby(block);
  if (view.error != 0) return view.error;
  const std::lock_guard lock(mutex_);
  if (const auto refusal = refusals_.find(block); refusal != refusals_.end())
    return refusal->second;
  if (file == StandbyFile::MemmapOnMemory) {
    const auto& supported = model_.knobs().memmap_on_memory;
    if (value && (!supported || *supported == "N")) return EOPNOTSUPP;
    if (view.configured) return EBUSY;
    own_maps_[block] = value;
    return 0;
  }
  const auto done = value ? model_.configure({block, block}) : model_.deconfigure({block, block});
  if (done) return 0;
  return done.error().error == kernel::Errno::Ebusy ? EBUSY : EINVAL;
}

int SharedModel::bind_dax(std::string_view device, bool bind) {
  const std::lock_guard lock(mutex_);
  const model::Host host = model_.host();
  const model::DaxDevice* dax = model::find_dax(host, device);
  if (dax == nullptr || dax->blocks.empty() || dax->is_system_ram() == bind) return ENODEV;
  const BlockId first = dax->blocks.front().first;
  if (const auto refusal = refusals_.find(first); refusal != refusals_.end())
    return refusal->second;
  const auto done = bind ? model_.configure({first, first}) : model_.deconfigure({first, first});
  if (done) return 0;
  return done.error().error == kernel::Errno::Ebusy ? EBUSY : EINVAL;
}

int SharedModel::eject_dimm(std::uint32_t number) {
  const std::lock_guard lock(mutex_);
  const model::Host host = model_.host();
  bool found = false;
  for (const model::BlockRun& run : host.blocks) {
    const model::Device& device = host.devices.at(run.device);
    if (device.kind != model::Device::Kind::Dimm || device.number != number) continue;
    found = true;
    if (!model_.remove(run.first, run.count)) return EBUSY;
  }
  return found ? 0 : ENOENT;
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
