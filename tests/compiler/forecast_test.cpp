// SPDX-License-Identifier: LGPL-2.1-or-later
// Memory to come: what real kernels did with half a TiB in a guest of 1 GiB, row by row, the budget
// of 4 TiB in a guest of 8 GiB, and the words of a request.
#include "compiler/forecast/forecast.hpp"

#include <algorithm>

#include "compiler/plan/cost.hpp"
#include "compiler/sema/analyse.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/host_builder.hpp"
#include "tests/support/planning.hpp"

namespace memonline {

using forecast::Forecast;
using forecast::Remedy;
using model::Bytes;
using model::Era;
using test::HostBuilder;

namespace {

constexpr std::uint64_t kMiB = 1ULL << 20U;
constexpr std::uint64_t kGiB = 1ULL << 30U;

// 6.1 has memmap_on_memory for devices of one block only, 6.12 and 7.2 for each block.
enum class Kernel { V6_1, V6_12, V7_2 };

model::Host guest(Kernel kernel, std::uint64_t blocks, std::uint64_t free_mib, bool own_map) {
  // As QEMU lays it out: what exceeds 3 GiB lies above 4 GiB.
  HostBuilder builder(Era::D);
  builder.boot(0, 0, std::min<std::uint64_t>(blocks, 24), model::Zone::Dma32);
  if (blocks > 24) builder.boot(0, 32, blocks - 24);
  model::Host host = builder.build();
  host.memory_available = Bytes(free_mib * kMiB);
  host.knobs.auto_online_blocks = kernel == Kernel::V6_1 ? "offline" : "online";
  host.knobs.online_policy = "contig-zones";
  host.knobs.memmap_on_memory = own_map ? "Y" : "N";
  host.facts.memmap_pages = kernel != Kernel::V6_1;
  return host;
}

std::optional<Forecast> add(const model::Host& host, const std::string& policy,
                            const std::string& what, diag::Sink& sink) {
  source::SourceSet files;
  files.emplace_back("t.mempolicy", policy, "");
  const auto analysed = sema::analyse(files, sink);
  REQUIRE(analysed);
  const auto request = forecast::parse_add(what);
  REQUIRE(request);
  return forecast::make_forecast(*analysed, files, host, *request, sink);
}

Forecast add(const model::Host& host, const std::string& policy, const std::string& what) {
  diag::Sink sink;
  auto forecast = add(host, policy, what, sink);
  INFO(test::codes_text(sink));
  REQUIRE(forecast);
  return *forecast;
}

const Remedy* remedy(const Forecast& forecast, Remedy::Kind kind) {
  for (const Remedy& one : forecast.remedies)
    if (one.kind == kind) return &one;
  return nullptr;
}

constexpr const char* kKernelMovable = "hotplugged: movable";
constexpr const char* kUserMovable = "set hotplug = service\nhotplugged: movable";

struct Row {
  const char* what;
  const char* policy;
  bool own_map;
  std::uint64_t ends_6_1, ends_6_12;  // at which device; 0: all come
  bool slow;                          // was not through in the time given, some 200 s
};

// What 6.1, 6.12 and 7.2 did: 1 GiB with about 800 MiB free. 6.12 and 7.2 did the same.
const std::vector<Row> kRows{
    // One DIMM of 64 or 512 GiB: the add fails, nothing appears; or, with no reserve, the guest
    // dies.
    {"64GiB", "hotplugged: offline", false, 1, 1, false},
    {"64GiB", kKernelMovable, false, 1, 1, false},
    {"512GiB", "hotplugged: offline", false, 1, 1, false},
    {"512GiB", kKernelMovable, false, 1, 1, false},
    // 64 DIMMs of 8 GiB, all added first: the 7th.
    {"512GiB,dimm=8GiB", "hotplugged: offline", false, 7, 7, false},
    // Each auto-onlined movable; each onlined movable by user space as it comes: the 7th.
    {"512GiB,dimm=8GiB", kKernelMovable, false, 7, 7, false},
    {"512GiB,dimm=8GiB", kUserMovable, false, 7, 7, false},
    // Each auto-onlined by the kernel's choice, all Normal: goes on; 31 (6.1) and 24 in the time
    // given.
    {"512GiB,dimm=8GiB", "hotplugged: auto", false, 0, 0, true},
    // Of each the first 2 blocks for the kernel, or the first: all 512 GiB.
    {"512GiB,dimm=8GiB", "each dimm: first 2 blocks normal, rest movable", false, 0, 0, false},
    {"512GiB,dimm=8GiB", "each dimm: first 1 blocks normal, rest movable", false, 0, 0, false},
    // 16 of 32 GiB, 1/32 for the kernel first: all 512 GiB (6.1: 15 in the time given).
    {"512GiB,dimm=32GiB", "each dimm: first 8 blocks normal, rest movable", false, 0, 0, false},
    // memmap_on_memory, one DIMM: 6.1 fails; all 4,096 blocks, movable by user space.
    {"512GiB", "hotplugged: offline", true, 1, 0, false},
    {"512GiB", kUserMovable, true, 1, 0, false},
    // The same, auto-onlined movable: 6.1 dies; 1,091 (6.12) and 1,023 (7.2) of 4,096 blocks.
    {"512GiB", kKernelMovable, true, 1, 0, true},
    // memmap_on_memory, 64 of 8 GiB, movable as they come: 6.1 ends at the 7th, the others go on.
    {"512GiB,dimm=8GiB", kUserMovable, true, 7, 0, false},
};

}  // namespace

TEST_CASE("forecast: every row of what real kernels did") {
  for (const Row& row : kRows)
    for (const Kernel kernel : {Kernel::V6_1, Kernel::V6_12, Kernel::V7_2}) {
      INFO(row.what << ", " << row.policy << ", own map " << row.own_map << ", kernel "
                    << static_cast<int>(kernel));
      const Forecast forecast = add(guest(kernel, 8, 800, row.own_map), row.policy, row.what);
      const std::uint64_t ends = kernel == Kernel::V6_1 ? row.ends_6_1 : row.ends_6_12;
      CHECK(forecast.ends_at.value_or(0) == ends);
      CHECK(forecast.fits() == (ends == 0));
      CHECK(forecast.slow_blocks.has_value() == (row.slow && ends == 0));
      if (forecast.slow_blocks) CHECK(*forecast.slow_blocks == 4096);
    }
}

TEST_CASE("forecast: the numbers are those of the device where it ends") {
  const Forecast forecast =
      add(guest(Kernel::V6_12, 8, 800, false), kUserMovable, "512GiB,dimm=8GiB");
  REQUIRE(forecast.devices.size() == 7);
  // 128 MiB of map, 32 KiB of page tables, 64 devices of blocks.
  CHECK(forecast.devices[0].needed == Bytes(128 * kMiB + 32768 + 64 * plan::kBlockDevice));
  CHECK(forecast.devices[6].free < forecast.devices[6].needed);
  CHECK(forecast.devices[5].movable == Bytes(8 * kGiB));
  CHECK(forecast.runs.size() == 1);
  CHECK(forecast.runs[0].blocks.first == model::BlockId(32));
  CHECK(forecast.runs[0].blocks.last == model::BlockId(32 + 6 * 64 - 1));
}

TEST_CASE("forecast: what is named as a remedy was tried, and is what real kernels took") {
  diag::Sink sink;
  const auto forecast = add(guest(Kernel::V6_12, 8, 800, false), kKernelMovable, "512GiB", sink);
  REQUIRE(forecast);
  CHECK(test::codes_text(sink) == "ML0550");
  const Remedy* own_map = remedy(*forecast, Remedy::Kind::MemmapOnMemory);
  REQUIRE(own_map);
  CHECK(own_map->by_service);  // the kernel by itself would take long
  const Remedy* slices = remedy(*forecast, Remedy::Kind::Slices);
  REQUIRE(slices);
  CHECK(slices->bytes == Bytes(32 * kGiB));
  CHECK(slices->normal == 8);
  const Remedy* boot = remedy(*forecast, Remedy::Kind::BootMemory);
  REQUIRE(boot);
  CHECK(boot->bytes == Bytes(8 * kGiB));
  // Each of them, taken.
  CHECK(add(guest(Kernel::V6_12, 8, 800, true), kUserMovable, "512GiB").fits());
  CHECK(add(guest(Kernel::V6_12, 8, 800, false), "each dimm: first 8 blocks normal, rest movable",
            "512GiB,dimm=32GiB")
            .fits());
  CHECK(add(guest(Kernel::V6_12, 72, 800 + 8 * 1008, false), kKernelMovable, "512GiB").fits());
  // 6.1 has no map for each block: not named there.
  const Forecast older = add(guest(Kernel::V6_1, 8, 800, false), kKernelMovable, "512GiB");
  CHECK_FALSE(remedy(older, Remedy::Kind::MemmapOnMemory));
  CHECK(remedy(older, Remedy::Kind::Slices));
  // Devices of the size that was asked for, if a share of each is enough.
  const Forecast sliced = add(guest(Kernel::V6_1, 8, 800, false), kUserMovable, "512GiB,dimm=8GiB");
  REQUIRE(remedy(sliced, Remedy::Kind::Slices));
  CHECK(remedy(sliced, Remedy::Kind::Slices)->bytes == Bytes(8 * kGiB));
  CHECK(remedy(sliced, Remedy::Kind::Slices)->normal == 2);
}

TEST_CASE("forecast: the budget of 4 TiB in a guest of 8 GiB") {
  // 7 GiB free carry the map of a little less than 448 GiB.
  const auto eight = [](Kernel kernel, bool own_map) { return guest(kernel, 64, 7168, own_map); };
  CHECK(add(eight(Kernel::V6_12, false), kKernelMovable, "446GiB").fits());
  CHECK_FALSE(add(eight(Kernel::V6_12, false), kKernelMovable, "448GiB").fits());
  // One device: 64 GiB of map, at once.
  const Forecast one = add(eight(Kernel::V6_1, false), kKernelMovable, "4TiB");
  CHECK(one.ends_at == 1U);
  CHECK(one.devices[0].needed > Bytes(64 * kGiB));
  CHECK(one.devices[0].needed == Bytes(64 * kGiB + 16 * kMiB + 32768 * plan::kBlockDevice));
  CHECK(one.devices[0].free == Bytes(7168 * kMiB));
  REQUIRE(remedy(one, Remedy::Kind::BootMemory));
  CHECK(remedy(one, Remedy::Kind::BootMemory)->bytes == Bytes(59 * kGiB));
  // All Movable, step by step: the same 448 GiB in all.
  CHECK(add(eight(Kernel::V6_12, false), kUserMovable, "4TiB,dimm=64GiB").ends_at == 7U);
  CHECK(add(eight(Kernel::V6_12, false), kUserMovable, "4TiB,dimm=16GiB").ends_at == 28U);
  // All Normal: anything fits. A 64th does not pay for the rest, a 32nd does.
  CHECK(add(eight(Kernel::V6_12, false), "hotplugged: auto", "4TiB,dimm=64GiB").fits());
  CHECK(add(eight(Kernel::V6_12, false), "each dimm: first 16 blocks normal, rest movable",
            "4TiB,dimm=64GiB")
            .fits());
  CHECK_FALSE(add(eight(Kernel::V6_12, false), "each dimm: first 4 blocks normal, rest movable",
                  "4TiB,dimm=64GiB")
                  .fits());
  // Blocks with their own map cost next to nothing, and give 63 of 64 parts.
  const Forecast own = add(eight(Kernel::V6_12, true), kUserMovable, "4TiB");
  CHECK(own.fits());
  CHECK(own.devices[0].needed == Bytes(16 * kMiB + 32768 * plan::kBlockDevice));
}

TEST_CASE("forecast: what was measured of 256 GiB in guests of 2 GiB, and auto-movable on 8 GiB") {
  CHECK(add(guest(Kernel::V7_2, 16, 2354, false), kKernelMovable, "256GiB").ends_at == 1U);
  const Forecast own = add(guest(Kernel::V7_2, 16, 2000, true), "hotplugged: offline", "256GiB");
  CHECK(own.fits());
  CHECK(own.devices[0].blocks == 2048);
  CHECK(own.devices[0].needed < Bytes(16 * kMiB));
  // A device counts as a whole: three times early kernel memory, or it goes to the kernel.
  model::Host host = guest(Kernel::V6_12, 64, 7168, true);
  host.knobs.online_policy = "auto-movable";
  host.knobs.auto_movable_ratio = 301;
  host.knobs.auto_movable_numa_aware = true;
  const auto all_in = [&](const char* what, model::Zone zone) {
    const Forecast forecast = add(host, "hotplugged: auto", what);
    return forecast.fits() && forecast.runs.size() == 1 && forecast.runs[0].zone == zone;
  };
  CHECK(all_in("24GiB", model::Zone::Movable));
  CHECK(all_in("25GiB", model::Zone::Normal));
  CHECK(all_in("4TiB", model::Zone::Normal));
}

TEST_CASE("forecast: memmap_on_memory counts only where the kernel uses it") {
  const auto holds_own_map = [](const model::Host& host, std::uint64_t blocks) {
    return plan::holds_own_map(host, plan::Source::Dimm, blocks);
  };
  CHECK(holds_own_map(guest(Kernel::V6_1, 8, 800, true), 1));
  CHECK_FALSE(holds_own_map(guest(Kernel::V6_1, 8, 800, true), 2));
  CHECK(holds_own_map(guest(Kernel::V6_12, 8, 800, true), 4096));
  CHECK_FALSE(holds_own_map(guest(Kernel::V6_12, 8, 800, false), 1));
  // arm64 with 64 KiB pages: the map of a block fills no huge page.
  model::Host arm = guest(Kernel::V6_12, 8, 800, true);
  arm.page_size = 65536;
  arm.block_size = Bytes(512 * kMiB);
  CHECK_FALSE(holds_own_map(arm, 1));
}

TEST_CASE("forecast: what cannot be said or done") {
  diag::Sink sink;
  model::Host host = guest(Kernel::V6_12, 8, 800, false);
  const auto codes = [&](const model::Host& on, const std::string& policy, const char* what) {
    diag::Sink said;
    add(on, policy, what, said);
    return test::codes_text(said);
  };
  CHECK(codes(host, kKernelMovable, "100MiB") == "ML0552");
  CHECK(codes(host, kKernelMovable, "1GiB,dimm=100MiB") == "ML0552");
  CHECK(codes(host, kKernelMovable, "1GiB@node7") == "ML0552");
  CHECK(codes(host, kKernelMovable, "4TiB,dimm=128MiB") == "ML0552");
  host.memory_available.reset();
  CHECK(codes(host, kKernelMovable, "1GiB") == "ML0551");
  // Era A lets only the end of Normal become Movable.
  model::Host old = HostBuilder(Era::A3).boot(0, 0, 8).build();
  old.memory_available = Bytes(800 * kMiB);
  CHECK(codes(old, "hotplugged: first 50% movable, rest normal", "1GiB") == "ML0554");
  CHECK(codes(guest(Kernel::V6_12, 8, 800, true), kKernelMovable, "512GiB") == "ML0553");
}

TEST_CASE("forecast: free memory in Movable is not the kernel's") {
  model::Host host = guest(Kernel::V6_12, 8, 4096, false);
  host.nodes.at(0).zones.at(static_cast<std::size_t>(model::Zone::Dma32)).managed =
      500 * kMiB / 4096;
  host.zone_spans_known = true;
  CHECK(plan::free_kernel_memory(host) == Bytes(500 * kMiB));
}

TEST_CASE("forecast: the words of a request") {
  using forecast::AddRequest;
  using forecast::parse_add;
  CHECK(parse_add("64GiB").value() == AddRequest{Bytes(64 * kGiB), {}, {}});
  CHECK(parse_add("1TiB@node2,dimm=8G").value() ==
        AddRequest{Bytes(1024 * kGiB), model::NodeId(2), Bytes(8 * kGiB)});
  for (const char* wrong :
       {"", "x", "64", "0GiB", "1GiB@2", "1GiB,", "1GiB,dimm", "1GiB,dimm=", "1GiB,dimm=0MiB",
        "1GiB,dimm=2GiB", "1GiB,slot=2", "1GiB,dimm=1GiB,x"}) {
    INFO(wrong);
    CHECK_FALSE(parse_add(wrong));
  }
}

}  // namespace memonline
