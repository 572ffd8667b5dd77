// SPDX-License-Identifier: LGPL-2.1-or-later
// Virtualization has the words of systemd-detect-virt, and is detected from the tree; on the live
// machine also from an x86 processor.
#include "runtime/host/machine.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <sys/utsname.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include "runtime/host/text.hpp"

namespace memonline::runtime {

namespace {

struct Word {
  std::string_view sign;
  std::string_view word;
};

bool starts_with(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::string line_of(const Tree& tree, const std::string& path) {
  const auto text = tree.attribute(path.c_str());
  return text ? ascii_only(trimmed(*text)) : std::string();
}

/// A DMI field; the class directory is a link to the other on a real machine.
std::string dmi(const Tree& tree, const std::string& field) {
  std::string value = line_of(tree, "sys/devices/virtual/dmi/id/" + field);
  return value.empty() ? line_of(tree, "sys/class/dmi/id/" + field) : value;
}

/// The value of the first line "name : value".
std::string_view cpuinfo_value(std::string_view cpuinfo, std::string_view name) {
  while (!cpuinfo.empty()) {
    std::string_view line = take_until(cpuinfo, '\n');
    if (trimmed(take_until(line, ':')) == name) return trimmed(line);
  }
  return {};
}

bool has_flag(std::string_view cpuinfo, std::string_view flag) {
  const auto flags = words_of(cpuinfo_value(cpuinfo, "flags"));
  return std::find(flags.begin(), flags.end(), flag) != flags.end();
}

std::string_view from_dmi(const Tree& tree) {
  static constexpr std::array<Word, 17> kSigns{{{"KVM", "kvm"},
                                                {"OpenStack", "kvm"},
                                                {"KubeVirt", "kvm"},
                                                {"Amazon EC2", "amazon"},
                                                {"QEMU", "qemu"},
                                                {"VMware", "vmware"},
                                                {"VMW", "vmware"},
                                                {"innotek GmbH", "oracle"},
                                                {"VirtualBox", "oracle"},
                                                {"Xen", "xen"},
                                                {"Bochs", "bochs"},
                                                {"Parallels", "parallels"},
                                                {"BHYVE", "bhyve"},
                                                {"Hyper-V", "microsoft"},
                                                {"Apple Virtualization", "apple"},
                                                {"Google Compute Engine", "google"},
                                                {"Google", "google"}}};
  for (const char* field : {"product_name", "sys_vendor", "board_vendor", "bios_vendor"}) {
    const std::string value = dmi(tree, field);
    for (const Word& sign : kSigns)
      if (!value.empty() && starts_with(value, sign.sign)) return sign.word;
  }
  // Hyper-V names itself by two fields; Microsoft's own hardware has only the first.
  if (dmi(tree, "sys_vendor") == "Microsoft Corporation" &&
      dmi(tree, "product_name") == "Virtual Machine")
    return "microsoft";
  return {};
}

/// The signature that a hypervisor shows to this processor; empty where none does.
std::string_view from_processor() {
#if defined(__x86_64__) || defined(__i386__)
  static constexpr std::array<Word, 11> kSigns{{{"KVMKVMKVM", "kvm"},
                                                {"Linux KVM Hv", "kvm"},
                                                {"TCGTCGTCGTCG", "qemu"},
                                                {"XenVMMXenVMM", "xen"},
                                                {"VMwareVMware", "vmware"},
                                                {"Microsoft Hv", "microsoft"},
                                                {"bhyve bhyve ", "bhyve"},
                                                {"QNXQVMBSQG", "qnx"},
                                                {"ACRNACRNACRN", "acrn"},
                                                {"SRESRESRESRE", "sre"},
                                                {"Apple VZ", "apple"}}};
  constexpr unsigned kHypervisor = 1U << 31U;
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & kHypervisor) == 0) return {};
  std::array<char, 13> text{};
  __cpuid(0x40000000U, a, b, c, d);
  std::memcpy(text.data(), &b, 4);
  std::memcpy(text.data() + 4, &c, 4);
  std::memcpy(text.data() + 8, &d, 4);
  for (const Word& sign : kSigns)
    if (starts_with(text.data(), sign.sign)) return sign.word;
#endif
  return {};
}

/// Guests get a clock from their hypervisor, which bears its name.
std::string_view from_clock(const Tree& tree) {
  const std::string clocks =
      line_of(tree, "sys/devices/system/clocksource/clocksource0/available_clocksource");
  if (contains(clocks, "kvm-clock")) return "kvm";
  if (contains(clocks, "hyperv_clocksource")) return "microsoft";
  if (contains(clocks, "xen")) return "xen";
  return {};
}

std::string_view from_device_tree(const Tree& tree) {
  for (const std::string base : {"sys/firmware/devicetree/base", "proc/device-tree"}) {
    const std::string hypervisor = line_of(tree, base + "/hypervisor/compatible");
    if (starts_with(hypervisor, "linux,kvm")) return "kvm";
    if (contains(hypervisor, "xen")) return "xen";
    if (contains(hypervisor, "vmware")) return "vmware";
    if (!hypervisor.empty()) return "vm-other";
    if (tree.exists((base + "/ibm,partition-name").c_str()) &&
        tree.exists((base + "/hmc-managed?").c_str()) &&
        !tree.exists((base + "/chosen/qemu,graphic-width").c_str()))
      return "powervm";
    const auto names = tree.list(base.c_str());
    if (names && std::any_of(names->begin(), names->end(),
                             [](const std::string& name) { return contains(name, "fw-cfg"); }))
      return "qemu";
  }
  return {};
}

std::string_view from_sysinfo(const Tree& tree) {
  const auto text = tree.read("proc/sysinfo");
  if (!text) return {};
  const std::string_view program = cpuinfo_value(*text, "VM00 Control Program");
  if (program.empty()) return "none";
  if (contains(program, "z/VM")) return "zvm";
  return contains(program, "KVM") ? "kvm" : "vm-other";
}

std::string_view virtualization_of(const Tree& tree, Liveness liveness, std::string_view cpuinfo) {
  const std::string_view firmware = from_dmi(tree);
  // These say more in their firmware than their processor does (most run KVM or Xen below).
  for (const std::string_view sure : {"oracle", "xen", "parallels"})
    if (firmware == sure) return firmware;
  const bool x86 = !cpuinfo_value(cpuinfo, "flags").empty();
  const bool guest = has_flag(cpuinfo, "hypervisor");
  // Rented bare metal bears the name of a cloud, too.
  if (firmware == "amazon" || firmware == "google") return x86 && !guest ? "none" : firmware;
  if (starts_with(cpuinfo_value(cpuinfo, "vendor_id"), "User Mode Linux")) return "uml";
  if (contains(line_of(tree, "sys/hypervisor/type"), "xen")) return "xen";
  if (liveness == Liveness::Live)
    if (const std::string_view word = from_processor(); !word.empty()) return word;
  if (const std::string_view word = from_clock(tree); guest && !word.empty()) return word;
  if (x86 && !guest) return "none";
  if (!firmware.empty()) return firmware;
  const std::string_view model = cpuinfo_value(cpuinfo, "model name");
  if (starts_with(model, "QEMU Virtual CPU") || starts_with(model, "QEMU TCG CPU")) return "qemu";
  if (const std::string_view word = from_device_tree(tree); !word.empty()) return word;
  if (const std::string_view word = from_sysinfo(tree); !word.empty()) return word;
  if (guest) return "vm-other";
  // Firmware that answered, and named no hypervisor.
  return dmi(tree, "sys_vendor").empty() ? "" : "none";
}

std::string_view architecture_of(std::string_view version, std::string_view cpuinfo) {
  static constexpr std::array<Word, 14> kWords{{{"x86_64", "x86_64"},
                                                {"amd64", "x86_64"},
                                                {"aarch64", "aarch64"},
                                                {"arm64", "aarch64"},
                                                {"s390x", "s390x"},
                                                {"ppc64le", "ppc64le"},
                                                {"powerpc64le", "ppc64le"},
                                                {"ppc64el", "ppc64le"},
                                                {"ppc64", "ppc64"},
                                                {"riscv64", "riscv64"},
                                                {"loongarch64", "loongarch64"},
                                                {"loong64", "loongarch64"},
                                                {"i686", "i686"},
                                                {"i386", "i686"}}};
  // The release comes first and names the kernel; the compiler behind it may be a cross compiler.
  const auto words = words_of(version);
  const std::string_view release = words.size() > 2 ? words[2] : std::string_view{};
  for (const std::string_view where : {release, version})
    for (const Word& word : kWords)
      if (contains(where, word.sign)) return word.word;
  if (has_flag(cpuinfo, "lm")) return "x86_64";
  if (!cpuinfo_value(cpuinfo, "flags").empty()) return "i686";
  if (!cpuinfo_value(cpuinfo, "CPU implementer").empty()) return "aarch64";
  if (contains(cpuinfo_value(cpuinfo, "vendor_id"), "IBM/S390")) return "s390x";
  if (starts_with(cpuinfo_value(cpuinfo, "cpu"), "POWER")) return "ppc64le";
  if (starts_with(cpuinfo_value(cpuinfo, "isa"), "rv64")) return "riscv64";
  if (contains(cpuinfo_value(cpuinfo, "CPU Family"), "Loongson-64bit")) return "loongarch64";
  return {};
}

}  // namespace

void read_machine(const Tree& tree, Liveness liveness, Notes& notes, model::Host& host) {
  const std::string version = notes.read(tree, "proc/version");
  const std::string cpuinfo = notes.read(tree, "proc/cpuinfo");
  host.kernel = line_of(tree, "proc/sys/kernel/osrelease");
  if (const auto words = words_of(version); host.kernel.empty() && words.size() > 2)
    host.kernel = ascii_only(words[2]);
  host.arch = architecture_of(version, cpuinfo);
  host.virtualization = virtualization_of(tree, liveness, cpuinfo);
  host.vendor = dmi(tree, "sys_vendor");
  host.product = dmi(tree, "product_name");
  host.family = dmi(tree, "product_family");
  utsname name{};
  if (liveness == Liveness::Live && ::uname(&name) == 0) {
    host.kernel = ascii_only(name.release);
    host.arch = ascii_only(name.machine);
  }
}

}  // namespace memonline::runtime
