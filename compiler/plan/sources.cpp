// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/plan/sources.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "compiler/plan/cost.hpp"

namespace memonline::plan {

using model::Device;
using model::Host;

namespace {

bool is_power(const Host& host) { return host.arch == "ppc64" || host.arch == "ppc64le"; }

bool has_device(const Host& host, Device::Kind kind) {
  return std::any_of(host.devices.begin(), host.devices.end(),
                     [&](const Device& device) { return device.kind == kind; });
}

// Hypervisors whose guests never see one, and bare metal.
bool rules_out_virtio_mem(const Host& host) {
  static constexpr std::array<std::string_view, 9> kOthers{
      "none", "vmware", "microsoft", "xen", "oracle", "parallels", "bhyve", "powervm", "zvm"};
  return is_power(host) ||
         std::find(kOthers.begin(), kOthers.end(), host.virtualization) != kOthers.end();
}

// Hyper-V and Xen add memory through their balloon drivers; POWER and s390x have no ACPI.
bool rules_out_dimms(const Host& host) {
  return host.virtualization == "microsoft" || host.virtualization == "xen" || is_power(host) ||
         host.arch == "s390x" || host.command_line_value("acpi_no_memhotplug").has_value() ||
         !dimms_ignored_by(host).empty();
}

// Machines that get no new devices with memory of their own: hypervisors that pass none through,
// and s390x.
bool is_closed(const Host& host) {
  static constexpr std::array<std::string_view, 8> kOthers{
      "vmware", "microsoft", "xen", "oracle", "parallels", "bhyve", "powervm", "zvm"};
  return host.arch == "s390x" ||
         std::find(kOthers.begin(), kOthers.end(), host.virtualization) != kOthers.end();
}

// NVIDIA's driver adds the memory of GPUs that are coherent with the processor: those of Grace, and
// of POWER9.
bool may_be_coherent_gpu(const Host& host) {
  return !is_closed(host) && (host.arch == "aarch64" || is_power(host) || host.arch.empty());
}

bool is_unknown_anywhere(const Host& host) { return has_device(host, Device::Kind::Unknown); }

// include/linux/memory_hotplug.h, arch_supports_memmap_on_memory(): the map of a block fills whole
// pages of the directory above the page tables; ppc64 with the radix MMU has its own rule.
bool map_fills_huge_pages(const Host& host) {
  if (is_power(host)) return !host.hash_mmu;
  const std::uint64_t huge_page = host.page_size / 8 * host.page_size;
  return host.pages_per_block() * kStructPage % huge_page == 0;
}

// Apart from whether it is switched on.
bool may_hold_own_map(const Host& host, Source source, std::uint64_t blocks) {
  const bool per_block = host.facts.memmap_pages == true;
  if (!map_fills_huge_pages(host)) return false;
  switch (source) {
    case Source::Dimm: return per_block || blocks == 1;
    case Source::Dax:
    case Source::Standby: return per_block;
    case Source::Dlpar: return true;
    case Source::VirtioMem:
    case Source::HyperV:
    case Source::Xen:
    case Source::Driver: break;
  }
  return false;
}

std::uint64_t largest_dimm(const Host& host) {
  std::vector<std::uint64_t> blocks(host.devices.size());
  for (const model::BlockRun& run : host.blocks)
    if (host.devices.at(run.device).kind == Device::Kind::Dimm) blocks[run.device] += run.count;
  return blocks.empty() ? 0 : *std::max_element(blocks.begin(), blocks.end());
}

}  // namespace

std::string_view source_name(Source source) {
  switch (source) {
    case Source::Dimm: return "dimm";
    case Source::Dax: return "dax";
    case Source::VirtioMem: return "virtio-mem";
    case Source::HyperV: return "hyper-v";
    case Source::Xen: return "xen";
    case Source::Dlpar: return "dlpar";
    case Source::Standby: return "standby";
    case Source::Driver: break;
  }
  return "driver";
}

std::string_view source_text(Source source) {
  switch (source) {
    case Source::Dimm: return "DIMMs";
    case Source::Dax: return "dax devices";
    case Source::VirtioMem: return "virtio-mem";
    case Source::HyperV: return "Hyper-V's balloon driver";
    case Source::Xen: return "Xen's balloon driver";
    case Source::Dlpar: return "DLPAR (drmgr)";
    case Source::Standby: return "standby memory";
    case Source::Driver: break;
  }
  return "a driver";
}

bool may_have_node(const Host& host, model::NodeId first, model::NodeId last) {
  return host.possible_nodes.empty() ||
         std::any_of(
             host.possible_nodes.begin(), host.possible_nodes.end(),
             [&](const auto& range) { return range.first <= last && first <= range.second; });
}

bool may_have_cpuless_node(const Host& host) {
  std::uint64_t possible = 0;
  for (const auto& [first, last] : host.possible_nodes)
    possible += last.value() - first.value() + 1;
  return possible == 0 || possible > host.nodes.size() ||
         std::any_of(host.nodes.begin(), host.nodes.end(),
                     [](const model::Node& node) { return node.has_cpu != true; });
}

std::string_view dimms_ignored_by(const Host& host) {
  if (!host.ignores_dimms || host.arch == "x86_64" || host.arch == "i686") return {};
  return host.command_line_value("acpi_no_memhotplug") ? "acpi_no_memhotplug"
                                                       : "CONFIG_ACPI_HOTPLUG_MEMORY";
}

bool may_have_standby(const Host& host) {
  return host.arch.empty() || can_come_from(host, Source::Standby);
}

// Machines with s390x have no DIMMs, and no drivers with memory of their own but virtio-mem.
bool has_only_standby(const Host& host) {
  return can_come_from(host, Source::Standby) && !can_come_from(host, Source::VirtioMem) &&
         !is_unknown_anywhere(host);
}

bool driver_may_add(const Host& host, std::string_view driver) {
  if (driver == "virtio_mem") return can_come_from(host, Source::VirtioMem);
  if (driver == "kmem") return can_come_from(host, Source::Dax);
  const bool here = std::any_of(host.devices.begin(), host.devices.end(),
                                [&](const Device& device) { return device.driver == driver; });
  if (here || is_unknown_anywhere(host)) return true;
  if (driver == "NVIDIA") return !host.nvidia_driver.empty() || may_be_coherent_gpu(host);
  return !is_closed(host);
}

bool can_come_from(const Host& host, Source source) {
  switch (source) {
    case Source::Dimm: return has_device(host, Device::Kind::Dimm) || !rules_out_dimms(host);
    case Source::VirtioMem:
      return has_device(host, Device::Kind::VirtioMem) || !rules_out_virtio_mem(host);
    case Source::HyperV: return host.virtualization == "microsoft";
    case Source::Xen: return host.virtualization == "xen";
    case Source::Dlpar: return !host.dlpar.empty();
    case Source::Standby: return host.arch == "s390x";
    case Source::Dax:
      return has_device(host, Device::Kind::Dax) || is_unknown_anywhere(host) || !is_closed(host);
    case Source::Driver: break;
  }
  return true;
}

Source usual_source(const Host& host) {
  for (const Source one : {Source::Standby, Source::Dlpar, Source::HyperV, Source::Xen})
    if (can_come_from(host, one)) return one;
  if (has_device(host, Device::Kind::VirtioMem) && !has_device(host, Device::Kind::Dimm))
    return Source::VirtioMem;
  return Source::Dimm;
}

Source source_of(const Host& host, const Device& device) {
  switch (device.kind) {
    case Device::Kind::Dimm: return Source::Dimm;
    case Device::Kind::Dax: return Source::Dax;
    case Device::Kind::VirtioMem: return Source::VirtioMem;
    case Device::Kind::Driver: return Source::Driver;
    case Device::Kind::Standby: return Source::Standby;
    case Device::Kind::None:
    case Device::Kind::Boot:
    case Device::Kind::Unknown: break;
  }
  return usual_source(host);
}

std::vector<Source> sources_of(const Host& host) {
  std::vector<Source> sources;
  for (const Device& device : host.devices) {
    if (device.origin != model::Origin::Hotplugged) continue;
    const Source source = source_of(host, device);
    if (std::find(sources.begin(), sources.end(), source) == sources.end())
      sources.push_back(source);
  }
  if (sources.empty()) sources.push_back(usual_source(host));
  return sources;
}

bool is_incremental(Source source) {
  return source == Source::VirtioMem || source == Source::HyperV || source == Source::Xen ||
         source == Source::Dlpar;
}

bool holds_own_map(const Host& host, Source source, std::uint64_t blocks) {
  return host.knobs.memmap_on_memory && *host.knobs.memmap_on_memory != "N" &&
         may_hold_own_map(host, source, blocks);
}

std::string no_own_map(const Host& host) {
  const std::vector<Source> sources = sources_of(host);
  const std::uint64_t dimm = std::max<std::uint64_t>(1, largest_dimm(host));
  if (std::any_of(sources.begin(), sources.end(),
                  [&](Source one) { return may_hold_own_map(host, one, dimm); }))
    return {};
  if (is_power(host) && host.hash_mmu) return "the kernel supports it only with the radix MMU";
  if (!map_fills_huge_pages(host))
    return fmt::format(
        "with pages of {} KiB, the memory map of a block does not fill whole huge pages",
        host.page_size >> 10U);
  switch (sources.front()) {
    case Source::Dimm:
      return "this kernel supports it only for a device of one block, and the DIMMs are larger";
    case Source::Dax:
    case Source::Standby: return "this kernel supports it only for DIMMs of one block";
    case Source::Dlpar:
    case Source::Driver: break;
    case Source::VirtioMem: return "the virtio-mem driver does not support it";
    case Source::HyperV: return "Hyper-V's driver does not support it";
    case Source::Xen: return "Xen's driver does not support it";
  }
  return "the driver that adds the memory does not support it";
}

}  // namespace memonline::plan
