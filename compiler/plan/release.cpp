// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/plan/release.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace memonline::plan {

using model::BlockRange;
using model::BlockRun;
using model::Device;
using model::Host;
using Kind = Device::Kind;

namespace {

/// The blocks of one device that the plan offlines.
struct Part {
  std::vector<BlockRun> runs;
  std::uint64_t count = 0;
  std::uint64_t of = 0;  ///< blocks that the device has
  [[nodiscard]] bool whole() const { return count == of; }
};

std::map<std::uint32_t, Part> parts_of(const std::vector<Candidate>& blocks, const Host& host) {
  std::map<std::uint32_t, Part> parts;
  for (const Candidate& one : blocks) {
    Part& part = parts[one.blocks.device];
    part.runs.push_back(one.blocks);
    part.count += one.blocks.count;
  }
  for (const BlockRun& run : host.blocks)
    if (const auto at = parts.find(run.device); at != parts.end()) at->second.of += run.count;
  return parts;
}

bool has_steps(const Device& device, const Part& part, const Host& host) {
  if (device.kind == Kind::Standby) return host.configures_standby;
  return part.whole() && ((device.kind == Kind::Dimm && device.number) || device.kind == Kind::Dax);
}

std::string count_text(const Part& part) {
  return fmt::format("{} of its {} blocks", part.of - part.count, part.of);
}

bool in_a_virtual_machine(const Host& host) {
  return !host.virtualization.empty() && host.virtualization != "none";
}

std::string without_steps(const Device& device, const Part& part, const Host& host) {
  switch (device.kind) {
    case Kind::Boot:
      return "boot memory remains in the machine: offlining only takes it out of use";
    case Kind::VirtioMem:
      return fmt::format("{}: its hypervisor can reduce the requested size", device.name);
    case Kind::Standby: return "standby memory: offlining returns it to the hypervisor";
    case Kind::Dimm:
    case Kind::Dax:
      if (!part.whole())
        return fmt::format("{} cannot be removed: {} remain", device.name, count_text(part));
      return fmt::format("{} can be removed by the hypervisor or firmware that added it",
                         device.name);
    case Kind::Driver:
    case Kind::None:
    case Kind::Unknown: break;
  }
  if (!host.dlpar.empty())
    return fmt::format(
        "the HMC or hypervisor removes this memory; here, `drmgr -c mem -r -q {}` "
        "does, and selects the blocks itself",
        part.count);
  if (!device.driver.empty())
    return fmt::format("the driver {} removes this memory", device.driver);
  return "the hypervisor or program that added this memory removes it";
}

std::string with_steps(const Device& device, const Host& host) {
  if (device.kind == Kind::Standby)
    return "standby memory remains configured: --release deconfigures it";
  if (device.kind == Kind::Dax)
    return fmt::format(
        "{} remains bound to kmem: --release unbinds it, and then it can become devdax again",
        device.name);
  if (in_a_virtual_machine(host))
    return fmt::format(
        "{} can be removed: by its hypervisor (device_del in QEMU), or ejected here with --release",
        device.name);
  return fmt::format("{} can be removed once it is ejected: with --release", device.name);
}

void add_steps(const Device& device, const Part& part, kernel::Model& model, Plan& plan) {
  std::vector<BlockRange> ranges;
  for (const BlockRun& run : part.runs) ranges.push_back(run.range());
  for (const BlockRange& range : model::BlockSet(std::move(ranges))) {
    ConfigureBlocks config{{range.first, range.last}, part.runs.front().node, false, {}, {}};
    if (device.kind != Kind::Standby) config.device = device.name;
    const auto done = device.kind == Kind::Dimm ? model.remove(range.first, range.count())
                                                : model.deconfigure(config.blocks);
    if (!done) continue;  // its blocks are still online on the model: reported by the step for them
    Step step;
    step.number = static_cast<std::uint32_t>(plan.steps.size() + 1);
    step.action = std::move(config);
    step.why = "after all blocks to be unplugged are offline";
    plan.steps.push_back(std::move(step));
  }
}

}  // namespace

void add_release(const std::vector<Candidate>& blocks, bool release, const Host& host,
                 kernel::Model& model, Plan& plan) {
  for (const auto& [index, part] : parts_of(blocks, host)) {
    const Device& device = host.devices.at(index);
    if (!has_steps(device, part, host))
      plan.afterwards.push_back(without_steps(device, part, host));
    else if (!release)
      plan.afterwards.push_back(with_steps(device, host));
    else
      add_steps(device, part, model, plan);
  }
}

}  // namespace memonline::plan
