// SPDX-License-Identifier: LGPL-2.1-or-later
// The comparison of the kernel model with a kernel, on a session written down by hand: it agrees
// as it stands, and notices each thing that is made to differ.
#include "tests/vm/replay/replay.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/host_builder.hpp"

using namespace memonline;
using model::Era;
using model::Zone;
using test::HostBuilder;
using vm::Verdict;

namespace {

// Node 0 boots with blocks 0-3, node 1 has a DIMM of four.
model::Host host() {
  HostBuilder builder(Era::D);
  builder.boot(0, 0, 1, Zone::Dma32, true)
      .boot(0, 1, 3, Zone::Dma32)
      .dimm(1, 32, 4)
      .span(0, Zone::Dma, 1, 4095, 3998)
      .span(0, Zone::Dma32, 4096, 126976, 126976);
  model::Host host = builder.build();
  host.nodes[0].zones[static_cast<std::size_t>(Zone::Normal)] = {};  // block 0 is of none
  return host;
}

const std::string kLog = R"(> look
= 0
b 0 0 online none
b 1 0 online DMA32
b 2 0 online DMA32
b 3 0 online DMA32
b 32 1 offline Normal Movable
b 33 1 offline Normal Movable
b 34 1 offline Normal Movable
b 35 1 offline Normal Movable
k auto_movable_numa_aware Y
k auto_movable_ratio 301
k auto_online_blocks offline
k online_policy contig-zones
z 0 DMA 1 4095 3998
z 0 DMA32 4096 126976 126976
.
> state 33 online_movable
= 0
b 33 1 online Movable
z 1 Movable 1081344 32768 32768
.
> state 35 online_movable
= 0
b 34 1 offline Movable Normal
b 35 1 online Movable
z 1 Movable 1081344 98304 65536
.
> state 35 online_kernel
= EINVAL
.
> state 35 offline
= 0
b 34 1 offline Normal Movable
b 35 1 offline Normal Movable
z 1 Movable 1081344 32768 32768
.
> attribute 35 1
= 0
b 35 1 online Normal
z 1 Normal 1146880 32768 32768
.
> attribute 35 1
= 0
.
> state 35 offline
= EBUSY
.
> state 36 online
= ENOENT
.
> state 34 movable
= EINVAL
.
> set auto_online_blocks online_movable
= 0
k auto_online_blocks online_movable
.
> set online_policy sometimes
= EINVAL
.
> add 40 2 0
= 0
b 40 0 online Movable
b 41 0 online Movable
z 0 Movable 1310720 65536 65536
.
> remove 40 2
= 0
b 40 gone
b 41 gone
z 0 Movable gone
.
)";

std::string with(const std::string& from, const std::string& to) {
  std::string log = kLog;
  const std::size_t at = log.find(from);
  REQUIRE(at != std::string::npos);
  return log.replace(at, from.size(), to);
}

Verdict verdict_of(const std::string& log) { return vm::replay(host(), vm::steps_of(log)); }

void check_differs(const std::string& from, const std::string& to, std::size_t step,
                   const std::string& difference) {
  const Verdict verdict = verdict_of(with(from, to));
  INFO(from << " -> " << to);
  REQUIRE_FALSE(verdict.differences.empty());
  CHECK(verdict.step == step);
  CHECK(verdict.differences.front() == difference);
}

}  // namespace

TEST_CASE("model replay: a recorded session agrees with the model") {
  const Verdict verdict = verdict_of(kLog);
  for (const std::string& difference : verdict.differences) UNSCOPED_INFO(difference);
  CHECK(verdict.differences.empty());
  CHECK(verdict.operations == 14);
  CHECK(verdict.answers.at("online_movable 0") == 2);
  CHECK(verdict.answers.at("offline EBUSY") == 1);
}

TEST_CASE("model replay: an answer cut short is left out") {
  CHECK(vm::steps_of(kLog.substr(0, kLog.size() - 2)).size() == 13);
  CHECK(vm::steps_of("").empty());
}

TEST_CASE("model replay: every kind of difference is found at its operation") {
  check_differs("> state 35 online_kernel\n= EINVAL", "> state 35 online_kernel\n= 0", 3,
                "the kernel answers 0, the model EINVAL");
  check_differs("b 33 1 online Movable", "b 33 1 online Normal", 1,
                "b 33: the kernel says `1 online Normal`, the model `1 online Movable`");
  check_differs("b 34 1 offline Movable Normal\n", "", 2,
                "b 34: the kernel says `1 offline Normal Movable`, the model `1 offline Movable "
                "Normal`");
  check_differs("z 1 Movable 1081344 98304 65536", "z 1 Movable 1081344 98304 98304", 2,
                "z 1 Movable: the kernel says `1081344 98304 98304`, the model `1081344 98304 "
                "65536`");
  check_differs("z 1 Normal 1146880 32768 32768\n", "", 5,
                "z 1 Normal: the kernel says `nothing`, the model `1146880 32768 32768`");
  check_differs("k auto_online_blocks online_movable\n", "", 10,
                "k auto_online_blocks: the kernel says `offline`, the model `online_movable`");
  check_differs("b 41 gone\n", "", 13,
                "b 41: the kernel says `0 online Movable`, the model `nothing`");
  check_differs("> state 35 offline\n= EBUSY", "> state 0 offline\n= EBUSY", 7,
                "the kernel answers EBUSY, the model EINVAL");
  check_differs("> state 36 online\n= ENOENT", "> state 36 online\n= EINVAL", 8,
                "the kernel answers EINVAL, the model ENOENT");
}

TEST_CASE("model replay: DLPAR onlines what it adds, where the setting says offline as well") {
  const std::string look = kLog.substr(0, kLog.find("> state"));
  const std::string log = look +
                          "> dlpar 40 2 0\n= 0\nb 40 0 online Normal\nb 41 0 online Normal\n"
                          "z 0 Normal 1310720 65536 65536\n.\n";
  const Verdict verdict = verdict_of(log);
  for (const std::string& difference : verdict.differences) UNSCOPED_INFO(difference);
  CHECK(verdict.differences.empty());
  std::string dimm = log;
  const Verdict left_offline = verdict_of(dimm.replace(log.find("dlpar"), 5, "add"));
  CHECK_FALSE(left_offline.differences.empty());
}

TEST_CASE("model replay: arm64 keeps its boot memory online") {
  const std::string refused = kLog.substr(0, kLog.find("> state")) +
                              "> state 2 offline\n= EPERM\n.\n"
                              "> state 2 offline\n= EBUSY\n.\n"
                              "> state 0 offline\n= EINVAL\n.\n";
  model::Host arm64 = host();
  arm64.arch = "aarch64";
  CHECK(vm::replay(arm64, vm::steps_of(refused)).differences.empty());
  CHECK_FALSE(vm::replay(host(), vm::steps_of(refused)).differences.empty());
}
