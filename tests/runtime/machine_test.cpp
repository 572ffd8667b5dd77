// SPDX-License-Identifier: LGPL-2.1-or-later
// Architecture, virtualization, command line and zones, from the texts that tell them.
#include "runtime/host/machine.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <memory>

#include "compiler/sema/facts.hpp"
#include "runtime/host/capture.hpp"
#include "runtime/host/proc.hpp"
#include "runtime/host/text.hpp"
#include "tests/runtime/sample_tree.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/skip.hpp"

namespace memonline {

using runtime::MemoryTree;

namespace {

using Files = std::vector<std::pair<std::string, std::string>>;

model::Host machine_of(const Files& files) {
  MemoryTree tree;
  for (const auto& [path, text] : files) tree.add_file(path, text);
  return test::host_of(tree);
}

const std::string kX86 = "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Xeon\n";
const std::string kBare = kX86 + "flags\t\t: fpu lm sse\n";
const std::string kGuest = kX86 + "flags\t\t: fpu lm hypervisor\n";

/// Whether `when` takes the word without a warning.
bool may_ask_for(sema::Fact fact, std::string_view word) {
  const auto words = sema::words_of(fact);
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

TEST_CASE("machine: `when` knows every word of systemd-detect-virt") {
  const std::unique_ptr<FILE, int (*)(FILE*)> list(
      popen("systemd-detect-virt --list 2>/dev/null", "r"), &pclose);
  REQUIRE(list);
  std::array<char, 64> line{};
  std::size_t words = 0;
  while (std::fgets(line.data(), line.size(), list.get()) != nullptr) {
    const std::string_view word(line.data(), std::strcspn(line.data(), "\n"));
    INFO(word);
    CHECK(may_ask_for(sema::Fact::Virtualization, word));
    ++words;
  }
  if (words == 0) test::skip_part("runtime_tests", "not installed: systemd-detect-virt (systemd)");
}

TEST_CASE("machine: virtualization in systemd's words") {
  const std::string dmi = "sys/class/dmi/id/";
  const std::string clock = "sys/devices/system/clocksource/clocksource0/available_clocksource";
  for (const auto& [files, word] : std::vector<std::pair<Files, std::string>>{
           {{}, ""},
           {{{"proc/cpuinfo", kBare}}, "none"},
           {{{"proc/cpuinfo", kGuest}}, "vm-other"},
           {{{"proc/cpuinfo", kGuest}, {dmi + "sys_vendor", "QEMU\n"}}, "qemu"},
           {{{"proc/cpuinfo", kGuest}, {clock, "kvm-clock tsc\n"}, {dmi + "sys_vendor", "QEMU\n"}},
            "kvm"},
           {{{"proc/cpuinfo", kGuest}, {dmi + "sys_vendor", "VMware, Inc.\n"}}, "vmware"},
           {{{"proc/cpuinfo", kGuest}, {dmi + "bios_vendor", "Xen\n"}}, "xen"},
           {{{"proc/cpuinfo", kGuest}, {dmi + "product_name", "VirtualBox\n"}}, "oracle"},
           {{{"proc/cpuinfo", kGuest},
             {dmi + "sys_vendor", "Microsoft Corporation\n"},
             {dmi + "product_name", "Virtual Machine\n"}},
            "microsoft"},
           {{{"proc/cpuinfo", kBare}, {dmi + "sys_vendor", "Amazon EC2\n"}}, "none"},
           {{{"proc/cpuinfo", kGuest}, {dmi + "sys_vendor", "Amazon EC2\n"}}, "amazon"},
           {{{"proc/cpuinfo", "model name\t: QEMU TCG CPU version 2.5+\nflags : hypervisor\n"}},
            "qemu"},
           {{{"sys/hypervisor/type", "xen\n"}}, "xen"},
           {{{"proc/device-tree/hypervisor/compatible", "linux,kvm\n"}}, "kvm"},
           {{{"proc/device-tree/ibm,partition-name", "p"}, {"proc/device-tree/hmc-managed?", ""}},
            "powervm"},
           {{{"proc/sysinfo", "VM00 Name: x\nVM00 Control Program: KVM/Linux\n"}}, "kvm"},
           {{{"proc/sysinfo", "Manufacturer: IBM\n"}}, "none"},
           {{{"proc/cpuinfo", "vendor_id\t: User Mode Linux\n"}}, "uml"}}) {
    INFO(word);
    CHECK(machine_of(files).virtualization == word);
    CHECK((word.empty() || may_ask_for(sema::Fact::Virtualization, word)));
  }
}

TEST_CASE("machine: architecture of a captured kernel") {
  for (const auto& [version, cpuinfo, arch] : std::vector<std::array<std::string, 3>>{
           {"Linux version 6.1.0-50-cloud-amd64 (x)", "", "x86_64"},
           {"Linux version 6.8.5-301.fc40.x86_64 (x)", "", "x86_64"},
           {"Linux version 6.1.0-arm64 (x86_64-linux-gnu-gcc)", "", "aarch64"},
           {"Linux version 5.14.0.el9.ppc64le (x)", "", "ppc64le"},
           {"Linux version 6.6.1 (x)", kBare, "x86_64"},
           {"Linux version 6.6.1 (x)", "CPU implementer\t: 0x41\n", "aarch64"},
           {"Linux version 6.6.1 (x)", "vendor_id : IBM/S390\n", "s390x"},
           {"", "cpu\t\t: POWER9 (architected)\n", "ppc64le"},
           {"", "isa\t: rv64imafdc\n", "riscv64"},
           {"", "", ""}}) {
    INFO(version + cpuinfo);
    CHECK(machine_of({{"proc/version", version}, {"proc/cpuinfo", cpuinfo}}).arch == arch);
    CHECK((arch.empty() || may_ask_for(sema::Fact::Arch, arch)));
  }
  CHECK(machine_of({{"proc/version", "Linux version 3.10.0 (x)"}}).kernel == "3.10.0");
  CHECK(machine_of({{"sys/class/dmi/id/sys_vendor", "Dell Inc.\n"}}).vendor == "Dell Inc.");
  CHECK(machine_of({{"sys/devices/virtual/dmi/id/product_name", "R740\n"}}).product == "R740");
  CHECK(machine_of({{"sys/class/dmi/id/product_family", "RHV\n"}}).family == "RHV");
}

// drivers/acpi/acpi_memhotplug.c: slots are devices on every kernel, the profile is the driver's.
TEST_CASE("DIMMs: ignored if the firmware has slots for them and the kernel no driver") {
  const std::pair<std::string, std::string> profile{"sys/firmware/acpi/hotplug/container/enabled",
                                                    "1\n"};
  const std::pair<std::string, std::string> driver{"sys/firmware/acpi/hotplug/memory/enabled",
                                                   "1\n"};
  const std::pair<std::string, std::string> slot{"sys/bus/acpi/devices/PNP0C80:00/hid",
                                                 "PNP0C80\n"};
  const std::pair<std::string, std::string> button{"sys/bus/acpi/devices/PNP0C0C:00/hid",
                                                   "PNP0C0C\n"};
  CHECK(machine_of({profile, slot}).ignores_dimms);
  CHECK_FALSE(machine_of({profile, driver, slot}).ignores_dimms);
  CHECK_FALSE(machine_of({driver, slot}).ignores_dimms);
  CHECK_FALSE(machine_of({profile, button}).ignores_dimms);
  CHECK_FALSE(machine_of({profile}).ignores_dimms);
  // Not captured, a kernel before 3.10, or a device tree: unknown.
  CHECK_FALSE(machine_of({slot}).ignores_dimms);
  CHECK_FALSE(machine_of({{"sys/firmware/devicetree/base/model", "x"}}).ignores_dimms);
  CHECK_FALSE(machine_of({}).ignores_dimms);
}

TEST_CASE("DIMMs: that they are ignored is in a snapshot, and not in the fingerprint") {
  model::Host host = machine_of({{"sys/firmware/acpi/hotplug/container/enabled", "1\n"},
                                 {"sys/bus/acpi/devices/PNP0C80:00/hid", "PNP0C80\n"}});
  const std::string text = runtime::write_snapshot(host);
  CHECK(text.find("\nignores-dimms: true\n") != std::string::npos);
  const auto back = runtime::read_host_text(text);
  REQUIRE(back.has_value());
  CHECK(back->ignores_dimms);
  CHECK(back->fingerprint == machine_of({}).fingerprint);
  host.ignores_dimms = false;
  CHECK(runtime::write_snapshot(host).find("ignores-dimms") == std::string::npos);
}

TEST_CASE("command line: only words on memory, as the kernel splits them") {
  using Words = std::vector<std::string>;
  CHECK(runtime::parse_command_line("root=/dev/sda password=x movable_node quiet\n") ==
        Words{"movable_node"});
  CHECK(runtime::parse_command_line("memory-hotplug.memmap-on-memory=1 kernelcore=50% mem=4G") ==
        Words{"memory_hotplug.memmap_on_memory=1", "kernelcore=50%", "mem=4G"});
  CHECK(runtime::parse_command_line("memonline.a=\"x y\" movablecore=1G -- mem=2G") ==
        Words{"memonline.a=x y", "movablecore=1G"});
  CHECK(runtime::parse_command_line("memtest memhp_default_state=online acpi_no_memhotplug") ==
        Words{"memhp_default_state=online", "acpi_no_memhotplug"});
  CHECK(runtime::parse_command_line("").empty());
}

TEST_CASE("zoneinfo: spans by node, with gaps in the ids") {
  const auto info = runtime::parse_zoneinfo(
      test::zoneinfo({{4, "Movable", 512, 1024, 900}, {0, "DMA32", 1, 100, 90}, {0, "Device"}}));
  REQUIRE(info.nodes.size() == 2);
  CHECK(info.nodes[1].id == model::NodeId(4));
  const auto& movable = info.nodes[1].zones[static_cast<std::size_t>(model::Zone::Movable)];
  CHECK(movable.start == model::Pfn(512));
  CHECK(movable.end() == model::Pfn(1536));
  CHECK(movable.present == 900);
  CHECK(info.lists_empty_zones);
  CHECK(info.managed == 990);
  CHECK_FALSE(runtime::parse_zoneinfo(test::zoneinfo({{0, "DMA", 1, 9, 9}})).lists_empty_zones);
}

TEST_CASE("zoneinfo: what is in use of a zone, old and new") {
  std::string zone = test::zoneinfo({{0, "Normal", 1, 100, 90}});
  const std::size_t end = zone.find('\n') + 1;
  zone.insert(end,
              "  per-node stats\n      nr_inactive_file 7\n        min      3\n"
              "        high     5\n      nr_zone_inactive_file 11\n      nr_zone_active_file 4\n"
              "  pagesets\n    cpu: 0\n              high:  378\n");
  const auto use = runtime::parse_zoneinfo(zone).nodes[0].use[2];
  CHECK(use.free == 1U);
  CHECK(use.high == 5U);
  CHECK(use.file == 15U);
  const std::string bare = test::zoneinfo({{0, "Normal", 1, 100, 90}});
  CHECK_FALSE(runtime::parse_zoneinfo(bare).nodes[0].use[2].file);
}

TEST_CASE("zoneinfo: a line that has another shape counts nothing") {
  const std::string zone = test::zoneinfo({{0, "Normal", 1, 100, 90}});
  const auto before = runtime::parse_zoneinfo(zone).nodes;
  for (const char* line : {"Node 1, zone Movable more", "Node 1, zone", "Node 0, per-node stats",
                           "spanned 7 8", "start_pfn: 7 8", "managed", "present x"}) {
    INFO(line);
    CHECK(runtime::parse_zoneinfo(zone + line + "\n").nodes == before);
  }
}

TEST_CASE("texts: numbers and lists are strict") {
  using runtime::decimal;
  using runtime::hexadecimal;
  using runtime::list_of;
  CHECK(decimal("18446744073709551615") == UINT64_MAX);
  for (const char* text : {"", "18446744073709551616", "-1", "+1", "1 ", "0x1"})
    CHECK_FALSE(decimal(text).has_value());
  CHECK(hexadecimal("0x8000000") == 0x8000000U);
  CHECK(hexadecimal("ff") == 255U);
  CHECK_FALSE(hexadecimal("0x").has_value());
  CHECK(list_of("0-2,5\n") == std::vector<std::uint32_t>{0, 1, 2, 5});
  CHECK(list_of("").empty());
  CHECK(list_of("3-1,9").empty());
  CHECK(list_of("0-4294967295").empty());
}

}  // namespace memonline
