// SPDX-License-Identifier: LGPL-2.1-or-later
// Every captured host, read from its archive, against what is known of it; and each through a
// snapshot and back.
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "compiler/kernel/boot_zones.hpp"
#include "runtime/host/capture.hpp"
#include "runtime/host/read_host.hpp"
#include "tests/support/catch.hpp"

namespace memonline {

namespace {

using model::Device;
using model::Era;
using model::Host;

struct Known {
  std::string name;
  Era era;
  std::uint64_t block_mib;
  std::uint64_t blocks;
  std::uint64_t offline;
  std::uint64_t boot;  ///< blocks in the firmware's map
  std::size_t runs;
  std::vector<std::string> devices;
  std::vector<bool> cpus;  ///< by node
};

const std::vector<Known>& known_hosts() {
  static const std::vector<Known> hosts{
      {"5.10-a1", Era::C2, 128, 24, 16, 8, 5, {"boot", "dimm0", "dimm1"}, {true}},
      {"5.10-c1", Era::C2, 128, 24, 4, 8, 10, {"boot", "dimm0", "dimm1"}, {true, true}},
      {"5.10-e1", Era::C2, 128, 16, 8, 8, 4, {"boot", "dimm0"}, {true, false}},
      {"5.10-j1",
       Era::C2,
       128,
       544,
       343,
       32,
       13,
       {"boot", "dimm0", "dimm1", "dimm2", "dimm3"},
       {true, true}},
      {"5.10-m1", Era::C2, 128, 16, 4, 12, 5, {"boot", "dimm0"}, {true, true}},
      {"6.1-b1", Era::D, 128, 24, 16, 8, 6, {"boot", "dimm0", "dimm1"}, {true, true}},
      {"6.1-d1", Era::D, 128, 16, 4, 12, 7, {"boot", "dimm0"}, {true, false}},
      {"6.1-f1", Era::D, 128, 16, 8, 8, 4, {"boot", "virtio0"}, {true}},
      {"6.1-h1",
       Era::D,
       128,
       48,
       8,
       8,
       8,
       {"boot", "dimm0", "dimm1", "dimm2", "dimm3", "dimm4"},
       {true}},
      {"6.1-i1", Era::D, 1024, 82, 16, 66, 7, {"boot", "dimm0", "dimm1"}, {true, true}},
      {"6.12-a1", Era::D, 128, 24, 16, 8, 5, {"boot", "dimm0", "dimm1"}, {true}},
      {"6.12-c1", Era::D, 128, 24, 4, 8, 10, {"boot", "dimm0", "dimm1"}, {true, true}},
      {"6.12-e1", Era::D, 128, 16, 8, 8, 4, {"boot", "dimm0"}, {true, false}},
      {"6.12-g1", Era::D, 128, 24, 10, 8, 7, {"boot", "dimm0", "dimm1"}, {true}},
      {"6.12-j1",
       Era::D,
       128,
       544,
       343,
       32,
       13,
       {"boot", "dimm0", "dimm1", "dimm2", "dimm3"},
       {true, true}},
      {"6.12-m1", Era::D, 128, 16, 4, 12, 5, {"boot", "dimm0"}, {true, true}},
      {"6.12-t1", Era::D, 128, 16, 8, 8, 6, {"boot", "dimm0", "dimm1"}, {true, false}},
      {"7.2-b1", Era::D, 128, 24, 16, 8, 6, {"boot", "dimm0", "dimm1"}, {true, true}},
      {"7.2-d1", Era::D, 128, 16, 4, 12, 7, {"boot", "dimm0"}, {true, false}},
      {"7.2-f1", Era::D, 128, 16, 8, 8, 4, {"boot", "virtio0"}, {true}},
      {"7.2-h1",
       Era::D,
       128,
       48,
       8,
       8,
       8,
       {"boot", "dimm0", "dimm1", "dimm2", "dimm3", "dimm4"},
       {true}},
      {"7.2-i1", Era::D, 1024, 82, 16, 66, 7, {"boot", "dimm0", "dimm1"}, {true, true}},
  };
  return hosts;
}

Host host_named(const std::string& name) {
  auto host = runtime::read_host(std::string(MEMONLINE_TESTS_DIR "/hosts/") + name + ".tar.xz");
  INFO((host ? "" : host.error().message));
  REQUIRE(host.has_value());
  return std::move(*host);
}

template <class Predicate>
std::uint64_t count_blocks(const Host& host, Predicate predicate) {
  std::uint64_t count = 0;
  for (const model::BlockRun& run : host.blocks)
    if (predicate(run)) count += run.count;
  return count;
}

}  // namespace

TEST_CASE("captured hosts: each is read as what it is") {
  for (const Known& known : known_hosts()) {
    const Host host = host_named(known.name);
    INFO(known.name);
    CHECK(host.era == known.era);
    CHECK(host.block_size.value() == known.block_mib << 20U);
    CHECK(host.page_size == 4096);
    CHECK(host.arch == "x86_64");
    CHECK(host.virtualization == "qemu");
    CHECK(host.kernel.compare(0, known.name.find('-') + 1,
                              known.name.substr(0, known.name.find('-')) + ".") == 0);
    CHECK(host.zone_spans_known);
    CHECK(host.unread.empty());
    CHECK(host.command_line_value("memhp_default_state") == "offline");
    CHECK(host.knobs.auto_online_blocks == "offline");
    CHECK(count_blocks(host, [](const auto&) { return true; }) == known.blocks);
    CHECK(count_blocks(host, [](const auto& run) { return run.state == model::State::Offline; }) ==
          known.offline);
    CHECK(count_blocks(host, [&](const auto& run) {
            return host.devices[run.device].origin == model::Origin::Boot;
          }) == known.boot);
    CHECK(host.blocks.size() == known.runs);
    std::vector<std::string> devices;
    for (const Device& device : host.devices) devices.push_back(device.name);
    CHECK(devices == known.devices);
    REQUIRE(host.nodes.size() == known.cpus.size());
    for (std::size_t i = 0; i < host.nodes.size(); ++i)
      CHECK(host.nodes[i].has_cpu == known.cpus[i]);
  }
}

TEST_CASE("captured hosts: movable_node made of boot memory what the model says") {
  // The firmware calls node 1 hot-pluggable on both; on 6.12 the kernel's image came to lie there.
  for (const auto& [name, movable] : {std::pair("5.10-m1", 131072U), std::pair("6.12-m1", 0U)}) {
    INFO(name);
    const Host host = host_named(name);
    REQUIRE(host.hotpluggable_memory);
    CHECK(host.hotpluggable_memory->size() == 2);
    CHECK(host.early_memory.size() == 1);
    kernel::CoreRequest request;
    request.movable_node = true;
    const auto zones = kernel::boot_zones(kernel::boot_memory_of(host), request);
    REQUIRE(zones.size() == host.nodes.size());
    for (std::size_t node = 0; node < zones.size(); ++node)
      for (std::size_t zone = 0; zone < model::kZoneCount; ++zone)
        CHECK(zones[node].present.at(zone) == host.nodes[node].zones.at(zone).present);
    CHECK(zones[1].present[static_cast<std::size_t>(model::Zone::Movable)] == movable);
  }
}

TEST_CASE("captured hosts: details of some") {
  const Host c1 = host_named("6.12-c1");
  CHECK(c1.knobs.online_policy == "contig-zones");
  CHECK(c1.knobs.auto_movable_ratio == 301U);
  CHECK(c1.knobs.auto_movable_numa_aware == true);
  CHECK(c1.knobs.memmap_on_memory == "N");
  CHECK(c1.facts.memmap_pages == true);
  CHECK(c1.facts.empty_zones_listed == true);
  const model::ZoneSpan& movable =
      c1.find_node(model::NodeId(1))->zones[static_cast<std::size_t>(model::Zone::Movable)];
  CHECK(movable.start == model::Pfn(43 * 32768));
  CHECK(movable.spanned == 5 * 32768);
  const Host f1 = host_named("7.2-f1");
  CHECK(f1.devices[1].kind == Device::Kind::VirtioMem);
  CHECK(f1.devices[1].driver == "virtio_mem");
  CHECK(f1.devices[1].origin == model::Origin::Hotplugged);
  const Host m1 = host_named("6.12-m1");
  CHECK(m1.movable_node());
  CHECK(m1.devices[1].number == 0U);
  CHECK(host_named("6.1-h1").knobs.online_policy == "auto-movable");
  CHECK(host_named("6.12-g1").knobs.memmap_on_memory == "Y");
  CHECK(host_named("6.1-d1").command_line_value("kernelcore") == "50%");
}

// Firmware describes memory in another way on each: ACPI with DMI, a device tree, nothing at all.
TEST_CASE("captured hosts: other architectures say where their memory came from") {
  struct Added {
    std::string name;
    std::string arch;
    std::uint64_t boot;  ///< blocks
    std::uint64_t added;
    Device::Kind kind;
    std::uint64_t page_size;
  };
  const std::vector<Added> hosts{
      {"7.2-arm64-vm-split-before", "aarch64", 8, 4, Device::Kind::Dimm, 4096},
      {"7.2-arm64-vm-ignores-dimms", "aarch64", 8, 0, Device::Kind::None, 4096},
      {"7.2-loong64-vm-split-before", "loongarch64", 3, 4, Device::Kind::Dimm, 16384},
      {"7.2-ppc64le-vm-split-before", "ppc64le", 4, 4, Device::Kind::None, 4096},
      {"7.2-s390x-vm-boot-block-after", "s390x", 8, 0, Device::Kind::None, 4096},
      {"7.2-vm-cxl-before", "x86_64", 8, 4, Device::Kind::Dax, 4096},
      {"7.3-vm-cxl-before", "x86_64", 8, 4, Device::Kind::Dax, 4096},
  };
  for (const Added& known : hosts) {
    INFO(known.name);
    const Host host = host_named(known.name);
    CHECK(host.arch == known.arch);
    CHECK(host.page_size == known.page_size);
    CHECK(host.dlpar.empty() == (known.arch != "ppc64le"));
    CHECK(host.ignores_dimms == (known.name == "7.2-arm64-vm-ignores-dimms"));
    std::uint64_t boot = 0;
    std::uint64_t added = 0;
    for (const model::BlockRun& run : host.blocks) {
      const Device& device = host.devices[run.device];
      CHECK(device.origin != model::Origin::Unknown);
      const bool hotplugged = device.origin == model::Origin::Hotplugged;
      if (hotplugged) CHECK(device.kind == known.kind);
      (hotplugged ? added : boot) += run.count;
    }
    CHECK(boot == known.boot);
    CHECK(added == known.added);
  }
}

TEST_CASE("captured hosts: what is read to write to them is what all files say") {
  std::size_t read = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(MEMONLINE_TESTS_DIR "/hosts"))) {
    if (entry.path().extension() != ".xz") continue;
    INFO(entry.path());
    const auto all = runtime::read_host(entry.path());
    const auto to_write = runtime::read_host(entry.path(), runtime::Detail::ToWrite);
    REQUIRE(all.has_value());
    REQUIRE(to_write.has_value());
    CHECK(*all == *to_write);
    ++read;
  }
  CHECK(read > known_hosts().size());
}

TEST_CASE("captured hosts: a snapshot reads back as the same host") {
  for (const Known& known : known_hosts()) {
    Host host = host_named(known.name);
    INFO(known.name);
    const std::string text = runtime::write_snapshot(host);
    CHECK(text.size() < 8192);
    CHECK(text == runtime::write_snapshot(host));
    auto back = runtime::read_host_text(text);
    INFO((back ? "" : back.error().message));
    REQUIRE(back.has_value());
    CHECK(back->fingerprint == host.fingerprint);
    host.name.clear();
    // The lines of the files that agents are in stay on the host.
    for (model::OnliningAgent& agent : host.agents) agent.source.clear();
    CHECK(*back == host);
  }
}

}  // namespace memonline
