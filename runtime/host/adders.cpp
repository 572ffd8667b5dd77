// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/host/adders.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "runtime/host/text.hpp"

namespace memonline::runtime {

namespace {

constexpr const char* kDevices = "sys/bus/pci/devices";

std::string text_at(const Tree& tree, const std::string& path) {
  const auto text = tree.attribute(path.c_str());
  return text ? std::string(trimmed(*text)) : std::string();
}

// A GPU of NVIDIA: vendor 10de, and a display controller.
std::string nvidia_gpu(const Tree& tree) {
  auto names = tree.list(kDevices);
  if (!names) return {};
  std::sort(names->begin(), names->end());
  for (const std::string& name : *names) {
    std::string path = std::string(kDevices) + '/' + name;
    if (text_at(tree, path + "/vendor") == "0x10de" &&
        text_at(tree, path + "/class").starts_with("0x03"))
      return path;
  }
  return {};
}

// Only GPUs that are coherent with the processor become memory of the system: those of arm64. On
// POWER9 nvidia-persistenced adds it through `probe`. Without root /proc/iomem still has the names.
std::string nvidia_driver(const Tree& tree, const model::Host& host) {
  if (const auto iomem = tree.read("proc/iomem");
      iomem && iomem->find(": System RAM (NVIDIA)") != std::string::npos)
    return "proc/iomem";
  if (host.arch != "aarch64") return {};
  for (const char* path :
       {"sys/module/nvidia", "sys/bus/pci/drivers/nvidia", "proc/driver/nvidia/version"})
    if (tree.exists(path)) return path;
  return nvidia_gpu(tree);
}

/// The value of "name : value" in a file of such lines.
std::string value_in(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    if (trimmed(take_until(line, ':')) == name) return std::string(trimmed(line));
  }
  return {};
}

// arch/powerpc/platforms/pseries/dlpar.c; a guest of QEMU has it as well as a partition of PowerVM.
std::string dlpar(const Tree& tree, const model::Host& host, const std::string& cpuinfo) {
  if (host.arch != "ppc64" && host.arch != "ppc64le") return {};
  static constexpr std::array<const char*, 3> kPlaces{
      "sys/kernel/dlpar", "sys/firmware/devicetree/base/ibm,dynamic-reconfiguration-memory",
      "proc/device-tree/ibm,dynamic-reconfiguration-memory"};
  for (const char* path : kPlaces)
    if (tree.exists(path)) return path;
  return value_in(cpuinfo, "platform") == "pSeries" ? "proc/cpuinfo" : "";
}

// drivers/acpi/acpi_memhotplug.c: the kernel lists each slot for a DIMM (PNP0C80), empty or not,
// but registers the hotplug profile `memory` (drivers/acpi/sysfs.c) only with
// CONFIG_ACPI_HOTPLUG_MEMORY and without `acpi_no_memhotplug`. Without ACPI, and before Linux 3.10,
// there are no profiles.
bool ignores_dimms(const Tree& tree) {
  if (!tree.exists("sys/firmware/acpi/hotplug") || tree.exists("sys/firmware/acpi/hotplug/memory"))
    return false;
  const auto devices = tree.list("sys/bus/acpi/devices");
  return devices && std::any_of(devices->begin(), devices->end(), [](const std::string& name) {
           return name.starts_with("PNP0C80:");
         });
}

// MAX_PHYSMEM_BITS of arch/x86/include/asm/sparsemem.h, by the levels of page tables in use.
std::uint64_t address_limit(const model::Host& host, const std::string& cpuinfo) {
  if (host.arch != "x86_64") return 0;
  const std::string sizes = value_in(cpuinfo, "address sizes");
  if (sizes.find("48 bits virtual") != std::string::npos) return std::uint64_t{1} << 46U;
  if (sizes.find("57 bits virtual") != std::string::npos) return std::uint64_t{1} << 52U;
  return 0;
}

// The value that a running service saved before it changed the setting (service/knob_lease.hpp).
std::optional<std::string> setting_before(const Tree& tree) {
  const auto lease = tree.read("run/memonline/switches");
  if (!lease) return std::nullopt;
  const std::string boot = text_at(tree, "proc/sys/kernel/random/boot_id");
  std::string_view text = *lease;
  while (!text.empty()) {
    const auto words = words_of(take_until(text, '\n'));
    if (words.size() == 2 && words[0] == "boot" && !boot.empty() && words[1] != boot)
      return std::nullopt;
    if (words.size() >= 3 && words[0] == "auto_online_blocks")
      return ascii_only(std::string(words[1]));
  }
  return std::nullopt;
}

}  // namespace

void read_adders(const Tree& tree, model::Host& host) {
  const auto read = tree.read("proc/cpuinfo");
  const std::string cpuinfo = read ? *read : std::string();
  host.nvidia_driver = nvidia_driver(tree, host);
  host.dlpar = dlpar(tree, host, cpuinfo);
  host.ignores_dimms = ignores_dimms(tree);
  host.hash_mmu = value_in(cpuinfo, "MMU") == "Hash";
  host.address_limit = address_limit(host, cpuinfo);
  host.auto_online_before = setting_before(tree);
}

}  // namespace memonline::runtime
