// SPDX-License-Identifier: LGPL-2.1-or-later
// What blocks hold decides what an unplug says of them, and which of them make up an amount.
#include <fmt/format.h>

#include "compiler/plan/prospect.hpp"
#include "compiler/plan/unplug.hpp"
#include "compiler/render/explanation.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/host_builder.hpp"
#include "tests/support/planning.hpp"

namespace memonline {

using model::BlockContents;
using model::BlockId;
using model::Host;
using model::PageUse;
using model::Zone;
using test::HostBuilder;

namespace {

constexpr std::uint64_t kPages = 32768;  // of a block of 128 MiB

/// A block with these pages; the rest is free.
BlockContents holding(std::uint64_t block,
                      std::initializer_list<std::pair<PageUse, std::uint64_t>> uses) {
  BlockContents contents;
  contents.block = BlockId(block);
  std::uint64_t rest = kPages;
  for (const auto& [use, pages] : uses) {
    contents.pages[static_cast<std::size_t>(use)] = pages;
    rest -= pages;
  }
  contents.pages[static_cast<std::size_t>(PageUse::Free)] = rest;
  return contents;
}

// Boot 0..7 in Normal; dimm0 32..35 in Normal; dimm1 40..47 in Movable.
Host host() {
  return HostBuilder()
      .boot(0, 0, 8)
      .dimm(0, 32, 0)
      .dimm_online(0, 32, 4, Zone::Normal)
      .dimm(0, 40, 0)
      .dimm_online(0, 40, 8, Zone::Movable)
      .build();
}

std::string steps_of(const Host& host, const std::string& request) {
  diag::Sink sink;
  const auto plan = plan::plan_unplug(plan::parse_unplug(request).value(), host, sink);
  if (!plan) return test::codes_text(sink);
  std::string text;
  for (const plan::Step& step : plan->steps)
    text += fmt::format(
        "{}: {}\n", model::range_name(std::get<plan::OfflineBlocks>(step.action).blocks), step.why);
  return text;
}

}  // namespace

TEST_CASE("contents: a block of a kernel zone without unmovable pages is likely to go") {
  Host normal = host();
  normal.contents = {holding(32, {{PageUse::Anonymous, 256}}),
                     holding(33, {{PageUse::Slab, 2}, {PageUse::PageTables, 1}}), holding(34, {}),
                     holding(35, {{PageUse::Kernel, 1}})};
  CHECK(steps_of(normal, "dimm0") ==
        "memory35: unlikely to succeed: in Normal, 1 unmovable page (other kernel memory 1)\n"
        "memory33: unlikely to succeed: in Normal, 3 unmovable pages (slab 2, page tables 1)\n"
        "memory34: likely to succeed: in Normal, no unmovable page, nothing to move\n"
        "memory32: likely to succeed: in Normal, no unmovable page, 1 MiB to move\n");
}

TEST_CASE("contents: in Movable, only what was reserved at boot stays") {
  Host movable = host();
  for (std::uint64_t block = 40; block < 48; ++block)
    movable.contents.push_back(holding(block, {{PageUse::File, 512}, {PageUse::Kernel, 3}}));
  CHECK(steps_of(movable, "dimm1") ==
        "memory47..40: likely to succeed: in Movable, 16 MiB to move\n");
  movable.contents[2] = holding(42, {{PageUse::Reserved, 1}});
  CHECK(steps_of(movable, "dimm1") ==
        "memory42: unlikely to succeed: in Movable, 1 unmovable page (reserved at boot 1)\n"
        "memory47..43: likely to succeed: in Movable, 10 MiB to move\n"
        "memory41..40: likely to succeed: in Movable, 4 MiB to move\n");
  // A block's own memory map goes with it, and so does what a balloon has.
  movable.contents[2] = holding(42, {{PageUse::MemoryMap, 512}, {PageUse::Ballooned, 1024}});
  CHECK(steps_of(movable, "memory42") ==
        "memory42: likely to succeed: in Movable, nothing to move\n");
}

TEST_CASE("contents: a gigantic page moves into a free one only") {
  Host movable = host();
  movable.max_order_pages = 1024;
  BlockContents gigantic = holding(41, {{PageUse::HugePages, kPages}});
  gigantic.huge = {{kPages, kPages}};
  BlockContents huge = holding(43, {{PageUse::HugePages, 1024}});
  huge.huge = {{512, 1024}};
  movable.contents = {gigantic, huge};
  CHECK(steps_of(movable, "memory41") ==
        "memory41: unlikely to succeed: in Movable, 128 MiB in gigantic pages, which move only to "
        "free ones of the same size\n");
  CHECK(steps_of(movable, "memory43") ==
        "memory43: likely to succeed: in Movable, 4 MiB to move\n");
}

TEST_CASE("contents: huge pages need free blocks of their size elsewhere") {
  Host movable = host();
  BlockContents huge =
      holding(43, {{PageUse::HugePages, 1024}, {PageUse::Anonymous, kPages - 2048}});
  huge.huge = {{512, 1024}};
  movable.contents = {huge};
  // 1024 pages are free in the block itself, perhaps in large pieces.
  movable.free_pages.by_order = {5000, 0, 0, 0, 0, 0, 0, 0, 0, 4};
  CHECK(steps_of(movable, "memory43") ==
        "memory43: likely to succeed: in Movable, 124 MiB to move\n");
  movable.free_pages.by_order[9] = 3;
  CHECK(
      steps_of(movable, "memory43") ==
      "memory43: unlikely to succeed: in Movable, 4 MiB in huge pages, but too little free memory "
      "elsewhere in pages of that size\n");
  // Of orders above, too.
  movable.free_pages.by_order = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2};
  CHECK(steps_of(movable, "memory43").starts_with("memory43: likely"));
}

TEST_CASE("contents: up to 6.19, huge pages in use stay while hugetlb has free ones") {
  Host movable = host();
  BlockContents huge = holding(43, {{PageUse::HugePages, 2048}});
  huge.huge = {{512, 2048}};
  huge.huge_in_use = 1024;
  movable.contents = {huge};
  movable.free_pages.huge = 75;
  movable.free_pages.huge_may_return = true;
  CHECK(steps_of(movable, "memory43") ==
        "memory43: unlikely to succeed: in Movable, 4 MiB in huge pages in use, which this kernel "
        "may move within the block while 75 huge pages are free (vm.nr_hugepages)\n");
  for (const auto& change : {+[](Host& h) { h.free_pages.huge = 0; },
                             +[](Host& h) { h.free_pages.huge_may_return = false; },
                             +[](Host& h) { h.contents[0].huge_in_use = 0; }}) {
    Host other = movable;
    change(other);
    CHECK(steps_of(other, "memory43").starts_with("memory43: likely"));
  }
}

TEST_CASE("contents: pages without flags are free as far as CPUs keep that many") {
  Host normal = host();
  BlockContents bare = holding(33, {{PageUse::Kernel, 3000}});
  bare.bare = 3000;
  normal.contents = {bare};
  normal.free_pages.on_cpus = 3000;
  CHECK(
      steps_of(normal, "memory33") ==
      "memory33: likely to succeed: in Normal, 3000 pages may be free or the kernel's, nothing to "
      "move\n");
  normal.free_pages.on_cpus = 2999;
  CHECK(steps_of(normal, "memory33") ==
        "memory33: unlikely to succeed: in Normal, 3000 unmovable pages (other kernel memory "
        "3000)\n");
  // Of each of several blocks, too: they are judged as one.
  normal.free_pages.on_cpus = 3000;
  normal.contents.push_back(bare);
  normal.contents.back().block = BlockId(34);
  CHECK(
      steps_of(normal, "memory33-34") ==
      "memory34..33: likely to succeed: in Normal, 6000 pages may be free or the kernel's, nothing "
      "to move\n");
  normal.contents.pop_back();
  // What is certain decides: a compound page of the kernel, or slab.
  normal.free_pages.on_cpus = 5000;
  normal.contents[0].bare = 2998;
  CHECK(steps_of(normal, "memory33").starts_with("memory33: unlikely"));
  normal.contents[0] = holding(33, {{PageUse::Kernel, 100}, {PageUse::Slab, 1}});
  normal.contents[0].bare = 100;
  CHECK(steps_of(normal, "memory33").starts_with("memory33: unlikely"));
}

TEST_CASE("contents: an amount is made up of the blocks with the fewest pages to move") {
  Host some = host();
  for (std::uint64_t block = 40; block < 48; ++block)
    some.contents.push_back(
        holding(block, {{PageUse::Anonymous, block == 41 || block == 44 ? 0 : kPages / 2}}));
  CHECK(steps_of(some, "256MiB") ==
        "memory44: likely to succeed: in Movable, nothing to move\n"
        "memory41: likely to succeed: in Movable, nothing to move\n");
  // Of equal ones the highest, so that what stays is in one piece.
  CHECK(steps_of(some, "384MiB of dimm1") ==
        "memory47: likely to succeed: in Movable, 64 MiB to move\n"
        "memory44: likely to succeed: in Movable, nothing to move\n"
        "memory41: likely to succeed: in Movable, nothing to move\n");
}

TEST_CASE("contents: devices that fit are taken as a whole, the cheapest first") {
  Host two = HostBuilder()
                 .boot(0, 0, 8)
                 .dimm(0, 32, 0)
                 .dimm_online(0, 32, 4, Zone::Movable)
                 .dimm(0, 40, 0)
                 .dimm_online(0, 40, 4, Zone::Movable)
                 .dimm(0, 48, 0)
                 .dimm_online(0, 48, 16, Zone::Movable)
                 .build();
  // Without contents: the highest that fits.
  CHECK(steps_of(two, "512MiB").starts_with("memory43..40: "));
  for (std::uint64_t block = 40; block < 44; ++block)
    two.contents.push_back(holding(block, {{PageUse::Anonymous, kPages}}));
  for (std::uint64_t block = 32; block < 36; ++block)
    two.contents.insert(two.contents.begin() + static_cast<std::ptrdiff_t>(block - 32),
                        holding(block, {{PageUse::Anonymous, 512}}));
  CHECK(steps_of(two, "512MiB").starts_with("memory35..32: "));
  // What is offline already costs nothing, and may be enough.
  const Host half = HostBuilder()
                        .boot(0, 0, 8)
                        .dimm(0, 32, 8)
                        .dimm(0, 40, 0)
                        .dimm_online(0, 40, 4, Zone::Movable)
                        .build();
  CHECK(steps_of(half, "512MiB").empty());
  // A device with a block that will not go is not taken first.
  two.contents[1] = holding(33, {{PageUse::Reserved, 1}});
  CHECK(steps_of(two, "512MiB").starts_with("memory43..40: "));
}

TEST_CASE("contents: what must move is what is in use, not what the zone has on average") {
  Host tight = host();
  tight.zone_spans_known = true;
  model::Node& node = tight.nodes[0];
  const auto zone = [&](Zone z, std::uint64_t start, std::uint64_t pages, std::uint64_t free) {
    node.zones[static_cast<std::size_t>(z)] = {model::Pfn(start), pages, pages, pages, 0};
    node.use[static_cast<std::size_t>(z)] = {free, 0, 0};
  };
  zone(Zone::Normal, 0, 36 * kPages, kPages / 2);
  zone(Zone::Movable, 40 * kPages, 8 * kPages, kPages);
  CHECK(steps_of(tight, "memory40") == "ML0544");
  tight.contents = {holding(40, {{PageUse::File, kPages}})};
  tight.memory_available = model::Bytes(8ULL << 30U);
  CHECK(steps_of(tight, "memory40") ==
        "memory40: likely to succeed: in Movable, 128 MiB to move\n");
}

TEST_CASE("unplug: the plan says who removes the memory") {
  const auto afterwards = [](const Host& host, const std::string& what, bool release = false) {
    diag::Sink sink;
    auto request = plan::parse_unplug(what).value();
    request.release = release;
    const auto plan = plan::plan_unplug(request, host, sink);
    REQUIRE(plan);
    std::string text;
    for (const std::string& one : plan->afterwards) text += one + "\n";
    for (const plan::Step& step : plan->steps)
      if (const auto* config = std::get_if<plan::ConfigureBlocks>(&step.action))
        text += fmt::format("{} {} {}\n", config->verb(), config->device,
                            model::range_name(config->blocks));
    return text;
  };
  const Host guest = host();
  Host bare = host();
  bare.virtualization = "none";
  CHECK(afterwards(guest, "dimm1") ==
        "dimm1 can be removed: by its hypervisor (device_del in QEMU), or ejected here with "
        "--release\n");
  CHECK(afterwards(bare, "dimm1") == "dimm1 can be removed once it is ejected: with --release\n");
  CHECK(afterwards(guest, "dimm1", true) == "eject dimm1 memory40..47\n");
  CHECK(afterwards(guest, "memory44-47", true) ==
        "dimm1 cannot be removed: 4 of its 8 blocks remain\n");
  CHECK(afterwards(guest, "memory1", true) ==
        "boot memory remains in the machine: offlining only takes it out of use\n");
  const Host virtio = HostBuilder().boot(0, 0, 8).virtio_mem(0, 32, 4).build();
  CHECK(afterwards(virtio, "virtio-mem") ==
        "virtio0: its hypervisor can reduce the requested size\n");
  Host standby = HostBuilder().boot(0, 0, 8).standby(32, 4).build();
  CHECK(afterwards(standby, "standby", true) ==
        "standby memory: offlining returns it to the hypervisor\n");
  standby.configures_standby = true;
  CHECK(afterwards(standby, "standby") ==
        "standby memory remains configured: --release deconfigures it\n");
  CHECK(afterwards(standby, "standby", true) == "deconfigure  memory32..35\n");
}

TEST_CASE("contents: a note says where they are lacking, if the host shows any") {
  const auto codes = [](const Host& host) {
    diag::Sink sink;
    REQUIRE(plan::plan_unplug(plan::parse_unplug("dimm1").value(), host, sink));
    return test::codes_text(sink);
  };
  Host some = host();
  CHECK(codes(some) == "ML0545");
  some.unread = {{"/proc/kpageflags", "permission denied"}};
  CHECK(codes(some) == "ML0547 ML0545");
  some.unread.clear();
  some.contents = {holding(40, {})};
  CHECK(codes(some) == "ML0547 ML0545");
  for (std::uint64_t block = 41; block < 48; ++block) some.contents.push_back(holding(block, {}));
  CHECK(codes(some) == "ML0545");
}

TEST_CASE("contents: explain says what a block holds and what follows") {
  Host some = host();
  some.contents = {holding(33, {{PageUse::Slab, 300}, {PageUse::Anonymous, 16384}})};
  some.contents[0].unmovable = model::Pfn(33 * kPages + 17);
  const auto text = render::explain("memory33", some, nullptr, render::Form::Text).value();
  CHECK(text.find("  holds  anonymous 64 MiB (50%), free 62.8 MiB (49%), slab 1.2 MiB (0.9%)\n"
                  "  unplug unlikely to succeed: in Normal, 300 unmovable pages (slab 300)\n") !=
        std::string::npos);
  const auto json = render::explain("memory33", some, nullptr, render::Form::Json).value();
  CHECK(json.find("\"first_unmovable_page\": 1081361") != std::string::npos);
  CHECK(json.find("\"slab\": 1228800") != std::string::npos);
  // Of a range, the blocks that were read.
  const auto range = render::explain("dimm0", some, nullptr, render::Form::Text).value();
  CHECK(range.find("(of 1 of its 4 blocks)") != std::string::npos);
  some.contents.clear();
  some.unread = {{"/proc/kpageflags", "permission denied"}};
  CHECK(render::explain("memory33", some, nullptr, render::Form::Text)
            .value()
            .find("  holds  unknown: /proc/kpageflags: permission denied; root can read it\n") !=
        std::string::npos);
  CHECK(render::explain("memory33", some, nullptr, render::Form::Json)
            .value()
            .find("\"unread\": \"permission denied\"") != std::string::npos);
  CHECK(render::blocks_named("dimm0", some).size() == 1);
  CHECK(render::blocks_named("ML0503", some).empty());
}

}  // namespace memonline
