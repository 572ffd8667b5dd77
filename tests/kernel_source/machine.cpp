// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/kernel_source/machine.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "compiler/model/knob.hpp"

namespace memonline::kernel_source {

namespace {

using model::BlockId;
using model::NodeId;
using model::OnlineWord;
using model::ValidZones;
using model::WriteRun;
using model::Zone;

constexpr std::uint64_t kMostBlocks = 512;
// The kernel's order of zones, without HighMem.
constexpr std::array<Zone, 4> kZones{Zone::Dma, Zone::Dma32, Zone::Normal, Zone::Movable};

std::optional<OnlineWord> online_word(std::string_view text) {
  for (const OnlineWord word :
       {OnlineWord::Online, OnlineWord::OnlineKernel, OnlineWord::OnlineMovable})
    if (model::online_word(word) == text) return word;
  return std::nullopt;
}

int errno_of(kernel::Errno error) {
  switch (error) {
    case kernel::Errno::Einval: return -EINVAL;
    case kernel::Errno::Eperm: return -EPERM;
    case kernel::Errno::Eexist: return -EEXIST;
    case kernel::Errno::Enoent: return -ENOENT;
    case kernel::Errno::Ebusy: return -EBUSY;
  }
  return -EINVAL;
}

ValidZones zones_of(std::string_view text) {
  if (text == "none") return ValidZones(ValidZones::Kind::None);
  ValidZones zones(ValidZones::Kind::Empty);
  while (!text.empty()) {
    const std::size_t space = text.find(' ');
    if (const auto zone = model::zone_named(text.substr(0, space))) zones.push_back(*zone);
    text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
  }
  return zones;
}

std::string text_of(const ValidZones& zones) {
  if (zones.kind() == ValidZones::Kind::None) return "none";
  if (zones.kind() == ValidZones::Kind::Unknown) return "unknown";
  std::string text;
  for (const Zone zone : zones) text += (text.empty() ? "" : " ") + std::string(zone_name(zone));
  return text;
}

std::optional<std::string> differ(std::string_view what, std::string_view kernel,
                                  std::string_view ours) {
  return fmt::format("{}: the kernel says {}, the model {}", what, kernel, ours);
}

std::string answer_text(std::uint64_t written, int error) {
  return fmt::format("{} blocks, then {}", written,
                     error == 0 ? "success" : strerrorname_np(-error));
}

model::Device device(Device kind, std::size_t index) {
  model::Device device;
  device.origin = index == 0 ? model::Origin::Boot : model::Origin::Hotplugged;
  device.kind = kind == Device::Dimm        ? model::Device::Kind::Dimm
                : kind == Device::VirtioMem ? model::Device::Kind::VirtioMem
                                            : model::Device::Kind::Unknown;
  device.name = fmt::format("device{}", index);
  return device;
}

}  // namespace

Machine::Machine(const ks_api& kernel, const Boot& boot)
    : kernel_(kernel), boot_(boot), device_of_(kMostBlocks, 0) {
  start(kernel, boot);
  // In DMA32, as far as it lies in block 0: DMA is there too, so the block never goes offline, as
  // blocks with CMA do not.
  ks_zone dma32{};
  kernel.zone(0, 1, &dma32);
  const std::uint64_t end = std::min<std::uint64_t>(boot.regions[0].end, boot.block_pages);
  if (boot.cma > 0 && dma32.present > 0 && end > dma32.start)
    kernel.cma(0, 1, std::min<std::uint64_t>({boot.cma, end - dma32.start, dma32.present}));
  devices_.push_back({});
  for (std::uint64_t block = 0; block < kMostBlocks; ++block) {
    ks_block unused{};
    if (kernel.block(block, &unused) != 0) existing_.push_back(block);
  }
  knobs_.auto_online_blocks = "offline";
  if (kernel.set("online_policy", "contig-zones") == 0) {
    knobs_.online_policy = "contig-zones";
    knobs_.auto_movable_ratio = 301;
    knobs_.auto_movable_numa_aware = true;
  }
  reread();
  // The border of DMA and DMA32 in block 0 always shows.
  ks_zone movable{};
  kernel.zone(0, 3, &movable);
  const bool plain_start = movable.spanned == 0 || movable.start >= boot.block_pages;
  for (const model::BlockRun& run : host().blocks) {
    const bool mixed = run.zones.kind() == ValidZones::Kind::None;
    shared_blocks_ |=
        run.holes || run.several_nodes || (mixed && !(run.first == BlockId(0) && plain_start));
  }
}

model::Host Machine::host() const {
  model::Host host;
  host.arch = "x86_64";
  host.block_size = model::Bytes(boot_.block_pages * 4096);
  host.page_size = 4096;
  // Era D begins with online_policy (kernel rule 1.2).
  host.era = knobs_.online_policy ? model::Era::D : model::Era::C2;
  host.facts.valid_zones = true;
  host.zone_spans_known = true;
  host.knobs = knobs_;
  if (boot_.movable_node) host.command_line.emplace_back("movable_node");
  for (std::size_t i = 0; i < devices_.size(); ++i)
    host.devices.push_back(device(devices_[i].kind, i));
  for (int nid = 0; nid < KS_NODES; ++nid) {
    model::Node node;
    node.id = NodeId(static_cast<std::uint32_t>(nid));
    for (std::size_t z = 0; z < kZones.size(); ++z) {
      ks_zone from{};
      kernel_.zone(nid, static_cast<int>(z), &from);
      node.zones[static_cast<std::size_t>(kZones[z])] = {model::Pfn(from.start), from.spanned,
                                                         from.present, from.present, from.cma};
    }
    host.nodes.push_back(node);
  }
  for (const ks_region& region : boot_.regions)
    host.boot_memory.push_back({region.begin, region.end});
  for (const std::uint64_t block : existing_) {
    ks_block from{};
    kernel_.block(block, &from);
    std::array<char, 128> text{};
    const int length = kernel_.valid_zones(block, text.data());
    model::BlockRun run;
    run.first = BlockId(block);
    run.count = 1;
    run.state = from.online != 0 ? model::State::Online : model::State::Offline;
    run.zones = zones_of({text.data(), static_cast<std::size_t>(length)});
    run.node = NodeId(static_cast<std::uint32_t>(from.nid));
    run.several_nodes = from.several_nodes != 0;
    run.device = static_cast<std::uint32_t>(device_of_[block]);
    run.holes = from.holes != 0;
    model::append_run(host.blocks, run);
  }
  return host;
}

void Machine::reread() {
  model_.emplace(host());
  for (std::size_t i = 0; i < devices_.size(); ++i)
    devices_[i].in_model = static_cast<std::uint32_t>(i);
}

std::optional<std::string> Machine::perform(const Operation& operation, std::uint64_t& steps) {
  using Kind = Operation::Kind;
  switch (operation.kind) {
    case Kind::Write: return write(operation, steps);
    case Kind::Add: ++steps; return add(operation);
    case Kind::Remove: ++steps; return remove(operation);
    case Kind::Set: ++steps; return set(operation);
    case Kind::Reread: break;
  }
  ++steps;
  if (!written_ || !shared_blocks_) reread();
  return std::nullopt;
}

std::optional<std::string> Machine::write(const Operation& operation, std::uint64_t& steps) {
  std::array<char, 24> word{};
  operation.word.copy(word.data(), word.size() - 1);
  int error = 0;
  std::uint64_t written = 0;
  const std::uint64_t count = operation.high() - operation.low() + 1;
  for (std::uint64_t i = 0; i < count && error == 0; ++i) {
    const bool down = operation.last < operation.first;
    error = kernel_.write_state(down ? operation.first - i : operation.first + i, word.data());
    ++steps;
    if (error != 0) break;
    ++written;
    written_ = true;
  }
  const WriteRun run{BlockId(operation.first), BlockId(operation.last)};
  int answer = 0;
  std::uint64_t done = count;
  const auto refused = [&](const kernel::Refusal& refusal) {
    answer = errno_of(refusal.error);
    const std::uint64_t at = refusal.block.value();
    done = operation.last < operation.first ? operation.first - at : at - operation.first;
  };
  if (const auto online = online_word(operation.word)) {
    const auto placed = model_->online(run, *online);
    if (!placed) refused(placed.error());
  } else if (operation.word == "offline") {
    const auto gone = model_->offline(run);
    if (!gone) refused(gone.error());
  } else {  // the model has no such words: kernel rule 2.2, and 2.4 where there is no block
    answer =
        std::binary_search(existing_.begin(), existing_.end(), operation.first) ? -EINVAL : -ENOENT;
    done = 0;
  }
  if (answer == error && done == written) return std::nullopt;
  return differ("the answer", answer_text(written, error), answer_text(done, answer));
}

// The device that new blocks belong to: one of its own, or the virtio-mem device that grows.
std::size_t Machine::device_for(const Operation& operation) {
  if (operation.device == Device::VirtioMem)
    for (std::size_t i = 1; i < devices_.size(); ++i)
      if (devices_[i].unit == operation.unit && devices_[i].node == operation.node &&
          devices_[i].blocks > 0)
        return i;
  Added added;
  added.kind = operation.device;
  added.node = operation.node;
  added.unit = operation.unit;
  const std::uint64_t pages = (operation.high() - operation.low() + 1) * boot_.block_pages;
  if (operation.device == Device::Dimm) added.group = kernel_.group(operation.node, 0, pages);
  if (operation.device == Device::VirtioMem)
    added.group = kernel_.group(operation.node, 1, boot_.block_pages);
  added.in_model = model_->add_device(device(operation.device, devices_.size()));
  devices_.push_back(added);
  return devices_.size() - 1;
}

std::optional<std::string> Machine::add(const Operation& operation) {
  const std::uint64_t first = operation.first;
  const std::uint64_t count = operation.last - first + 1;
  if ((operation.last + 1) * boot_.block_pages > 64UL << 18U) return std::nullopt;
  for (std::uint64_t block = first; block <= operation.last; ++block)
    if (std::binary_search(existing_.begin(), existing_.end(), block)) return std::nullopt;
  const std::size_t index = device_for(operation);
  Added& into = devices_[index];
  const int error = kernel_.add(first, count, operation.node, into.group, operation.memmap ? 1 : 0);
  const auto added = model_->add(BlockId(first), count,
                                 NodeId(static_cast<std::uint32_t>(operation.node)), into.in_model);
  if ((error == 0) != added.has_value())
    return differ("the answer", answer_text(0, error), added ? "success" : "a refusal");
  into.blocks += count;
  for (std::uint64_t block = first; block <= operation.last; ++block) device_of_[block] = index;
  const auto at = std::lower_bound(existing_.begin(), existing_.end(), first);
  std::vector<std::uint64_t> blocks(count);
  for (std::uint64_t i = 0; i < count; ++i) blocks[i] = first + i;
  existing_.insert(at, blocks.begin(), blocks.end());
  kernel_.auto_online(first, count);
  written_ = written_ || knobs_.auto_online_blocks != "offline";
  if (const auto word = online_word(*knobs_.auto_online_blocks))
    (void)model_->online({BlockId(first), BlockId(operation.last)}, *word);
  return std::nullopt;
}

// A device with a static group goes as a whole, as ACPI and dax remove it.
std::optional<std::string> Machine::remove(const Operation& operation) {
  std::uint64_t first = operation.first;
  std::uint64_t last = operation.last;
  const std::size_t index = device_of_[first];
  if (devices_[index].kind == Device::Dimm) {
    while (first > 0 && device_of_[first - 1] == index) --first;
    while (device_of_[last + 1] == index) ++last;
  }
  for (std::uint64_t block = first; block <= last; ++block)
    if (device_of_[block] != index) return std::nullopt;
  ks_block early{};
  if (index == 0 && (kernel_.block(first, &early) == 0 || early.holes != 0)) return std::nullopt;
  const int error = kernel_.remove(first, last - first + 1);
  const auto gone = model_->remove(BlockId(first), last - first + 1);
  if ((error == 0) != gone.has_value())
    return differ("the answer", answer_text(0, error), gone ? "success" : gone.error().why);
  if (error != 0) return std::nullopt;
  devices_[index].blocks -= std::min(devices_[index].blocks, last - first + 1);
  for (std::uint64_t block = first; block <= last; ++block) device_of_[block] = 0;
  existing_.erase(std::lower_bound(existing_.begin(), existing_.end(), first),
                  std::upper_bound(existing_.begin(), existing_.end(), last));
  return std::nullopt;
}

std::optional<std::string> Machine::set(const Operation& operation) {
  const auto knob = model::knob_named(operation.word);
  const std::string value(operation.value);
  const int error = kernel_.set(std::string(operation.word).c_str(), value.c_str());
  if (error == -ENOENT) return std::nullopt;  // a kernel without this setting has no file either
  const auto done = model_->set_knob(*knob, value);
  const int answer = done ? 0 : errno_of(done.error().error);
  if (error == 0 && done) knobs_ = model_->knobs();
  // A number that is too large is ERANGE; to a program both say that the value is wrong.
  if (answer == error || (answer == -EINVAL && error == -ERANGE)) return std::nullopt;
  return differ("the answer", answer_text(0, error), answer_text(0, answer));
}

std::optional<std::string> Machine::compare_block(std::uint64_t block) const {
  std::array<char, 128> text{};
  const int length = kernel_.valid_zones(block, text.data());
  const ValidZones ours = model_->valid_zones(BlockId(block));
  if (zones_of({text.data(), static_cast<std::size_t>(length)}) == ours) return std::nullopt;
  return differ(fmt::format("valid_zones of memory{}", block), text.data(), text_of(ours));
}

std::optional<std::string> Machine::compare_node(int nid) const {
  static const kernel::NodeState kNone;
  const auto& nodes = model_->state().nodes;
  const auto at = nodes.find(NodeId(static_cast<std::uint32_t>(nid)));
  const kernel::NodeState& ours = at == nodes.end() ? kNone : at->second;
  model::PageRange hull{};
  std::uint64_t present = 0;
  for (std::size_t z = 0; z < kZones.size(); ++z) {
    ks_zone kernel{};
    kernel_.zone(nid, static_cast<int>(z), &kernel);
    const kernel::ZoneState& zone = ours[kZones[z]];
    const std::uint64_t spanned = zone.span.end - zone.span.begin;
    const bool same_span =
        kernel.spanned == spanned && (spanned == 0 || kernel.start == zone.span.begin);
    const bool early = !knobs_.online_policy || kernel.early == zone.early;
    if (!same_span || kernel.present != zone.present || !early)
      return differ(fmt::format("node{} {}", nid, zone_name(kZones[z])),
                    fmt::format("start {} spanned {} present {} early {}", kernel.start,
                                kernel.spanned, kernel.present, kernel.early),
                    fmt::format("start {} spanned {} present {} early {}", zone.span.begin, spanned,
                                zone.present, zone.early));
    present += zone.present;
    if (spanned == 0) continue;
    hull.begin = hull.end == 0 ? zone.span.begin : std::min(hull.begin, zone.span.begin);
    hull.end = std::max(hull.end, zone.span.end);
  }
  ks_node kernel{};
  kernel_.node(nid, &kernel);
  if (kernel.spanned == hull.end - hull.begin && kernel.present == present &&
      (kernel.spanned == 0 || kernel.start == hull.begin))
    return std::nullopt;
  return differ(
      fmt::format("node{}", nid),
      fmt::format("start {} spanned {} present {}", kernel.start, kernel.spanned, kernel.present),
      fmt::format("start {} spanned {} present {}", hull.begin, hull.end - hull.begin, present));
}

std::optional<std::string> Machine::compare_zones() const {
  for (int nid = 0; nid < KS_NODES; ++nid)
    if (auto difference = compare_node(nid)) return difference;
  return std::nullopt;
}

std::optional<std::string> Machine::compare_all() const {
  if (auto difference = compare_zones()) return difference;
  for (const std::uint64_t block : existing_)
    if (auto difference = compare_block(block)) return difference;
  return std::nullopt;
}

std::optional<std::string> Machine::compare(std::uint64_t low, std::uint64_t high,
                                            Random& random) const {
  if (auto difference = compare_zones()) return difference;
  const auto from = std::lower_bound(existing_.begin(), existing_.end(), low);
  for (auto at = from; at != existing_.end() && *at <= high; ++at)
    if (auto difference = compare_block(*at)) return difference;
  for (int i = 0; i < 2 && !existing_.empty(); ++i)
    if (auto difference = compare_block(one_of(random, existing_))) return difference;
  return std::nullopt;
}

}  // namespace memonline::kernel_source
