// SPDX-License-Identifier: LGPL-2.1-or-later
// What a plan costs: counted steps that grow with the policy and the host as they should, a budget
// that ends what is beyond all reason, and inputs so large that a quadratic algorithm would take
// minutes over them.
#include "compiler/base/work.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

#include <fmt/format.h>

#include "compiler/diag/render.hpp"
#include "compiler/model/facts.hpp"
#include "compiler/plan/planner.hpp"
#include "compiler/plan/unplug.hpp"
#include "compiler/render/plan.hpp"
#include "compiler/sema/analyse.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/host_builder.hpp"
#include "tests/support/planning.hpp"

using namespace memonline;
using test::HostBuilder;

namespace {

struct Counted {
  plan::Planned planned;
  diag::Sink sink;
  std::uint64_t steps = 0;
};

Counted plan_within(Work work, const model::Host& host, const std::string& text) {
  Counted counted;
  const source::SourceSet files{{"t.mempolicy", text}};
  const auto policy = sema::analyse(files, counted.sink);
  REQUIRE(policy);
  counted.planned = plan::make_plan(*policy, files, host, counted.sink, work);
  counted.steps = work.spent();
  return counted;
}

std::uint64_t work_for(const model::Host& host, const std::string& text) {
  const Counted counted = plan_within(Work(), host, text);
  INFO(diag::to_text(counted.sink.sorted(), {{"t.mempolicy", text}}).substr(0, 2000));
  CHECK(counted.planned.plan);
  return counted.steps;
}

std::string every_second(std::size_t first, std::size_t ranges) {
  std::string list = fmt::format("block {}", first);
  for (std::size_t i = 1; i < ranges; ++i) list += fmt::format(",{}", first + 2 * i);
  return list;
}

}  // namespace

TEST_CASE("work: is counted up to its bound, and beyond") {
  Work work(10);
  CHECK(work.spend(10));
  CHECK(!work.exhausted());
  CHECK(!work.spend(1));
  CHECK(work.exhausted());
  CHECK(!work.spend(~std::uint64_t{0}));
  CHECK(work.spent() == ~std::uint64_t{0});
}

TEST_CASE("work: a list of twice the blocks takes twice the work") {
  const auto host = HostBuilder().boot(0, 0, 4000).dimm(0, 4000, 8000).build();
  for (const std::string shares : {": movable", ": 50% movable, 50% normal", ": auto"}) {
    INFO(shares);
    const auto once = work_for(host, every_second(4000, 1000) + shares);
    const auto twice = work_for(host, every_second(4000, 2000) + shares);
    CHECK(twice > once);
    CHECK(twice <= 2 * once + 1000);
  }
}

TEST_CASE("work: limits of the host and of its nodes take their passes, and no more") {
  for (const std::string limit :
       {"limit movable to 1x normal", "limit movable to 1x normal per node"}) {
    INFO(limit);
    const auto work_on = [&](std::uint32_t nodes) {
      HostBuilder builder;
      for (std::uint32_t node = 0; node < nodes; ++node)
        builder.boot(node, 100 * node, 8).dimm(node, 100 * node + 50, 16);
      return work_for(builder.build(), "hotplugged: movable\n" + limit);
    };
    const auto once = work_on(100);
    CHECK(work_on(200) <= 5 * once / 2);
  }
}

TEST_CASE("work: a rule for each of 4096 nodes takes a quarter of the budget") {
  HostBuilder builder;
  std::string policy;
  for (std::uint32_t node = 0; node < 4096; ++node) {
    builder.boot(node, 100 * node, 8).dimm(node, 100 * node + 50, 16);
    policy += fmt::format("node{}: last 80% movable, rest normal\n", node);
  }
  CHECK(work_for(builder.build(), policy) <= plan::kMaxPlanWork / 4);
}

TEST_CASE("work: the size of a run costs nothing") {
  const auto small = HostBuilder().boot(0, 0, 64).dimm(0, 64, 64).build();
  // 512 TiB in blocks of 128 MiB.
  const auto large = HostBuilder().boot(0, 0, 2'097'152).dimm(0, 2'097'152, 2'097'152).build();
  const std::string policy = "hotplugged: last 80% movable, rest normal";
  CHECK(work_for(large, policy) == work_for(small, policy));
}

TEST_CASE("work: a plan that takes more than its budget is an error with a remedy") {
  const auto host = HostBuilder().boot(0, 0, 64).dimm(0, 64, 2000).build();
  for (const std::string& policy :
       {every_second(64, 1000) + ": movable",
        std::string("hotplugged: 50% movable, rest normal\nlimit movable to 1x normal")}) {
    INFO(policy.substr(0, 40));
    const auto needed = work_for(host, policy);
    CHECK(plan_within(Work(needed), host, policy).planned.plan);
    for (const std::uint64_t most : {needed - 1, needed / 2, std::uint64_t{1}}) {
      const Counted counted = plan_within(Work(most), host, policy);
      CHECK(!counted.planned.plan);
      REQUIRE(counted.sink.errors() == 1);
      CHECK(diag::name_of(counted.sink.all().back().code) == "ML0514");
      CHECK(counted.sink.all().back().message.find(std::to_string(most)) != std::string::npos);
      CHECK(!counted.sink.all().back().help.empty());
    }
  }
}

TEST_CASE("work: sixteen thousand steps are ordered, judged and rendered at once") {
  const auto host = HostBuilder().boot(0, 0, 20'000).dimm(0, 20'000, 40'000).build();
  std::string policy;
  for (std::size_t i = 0; i < 4; ++i)
    policy += every_second(20'000 + 8192 * i, 4096) + ": movable\n";
  const Counted counted = plan_within(Work(), host, policy);
  REQUIRE(counted.planned.plan);
  CHECK(counted.planned.plan->steps.size() >= 4 * 4096);
  const std::string text = render::plan_to_text(*counted.planned.plan, host);
  CHECK(text.find("16384  online_movable") != std::string::npos);
}

TEST_CASE("work: places of a line of a million bytes are found at once") {
  const std::string text = std::string(500'000, 'x') + "\u00e9" + std::string(500'000, 'y');
  const source::SourceFile file("t.mempolicy", text);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < 200'000; ++i) sum += file.place(800'000 + i).column;
  CHECK(sum == std::uint64_t{200'000} * (800'000 + 999'999) / 2);  // one byte is no column
}

TEST_CASE("work: facts with two hundred thousand settings are read at once, and each once") {
  std::vector<std::string> lines{"block-size 134217728", "page-size 4096", "era D", "arch x86_64",
                                 "hot-remove true"};
  for (std::size_t i = 0; i < 200'000; ++i) lines.push_back(fmt::format("knob k{} v", i));
  const auto facts = model::parse_facts(lines);
  REQUIRE(facts);
  CHECK(facts->knobs.size() == 200'000);
  lines.push_back("knob k77 w");
  CHECK(!model::parse_facts(lines));
}

TEST_CASE("work: an unplug of forty thousand ranges looks at each of them once") {
  model::Host host = HostBuilder().boot(0, 0, 400'000).virtio_mem(0, 400'000, 1).build();
  host.memory_available = model::Bytes(std::uint64_t{1} << 50U);
  model::BlockRun run = host.blocks.back();
  run.state = model::State::Online;
  host.blocks.pop_back();
  for (std::uint64_t i = 0; i < 40'000; ++i) {
    run.first = model::BlockId(400'000 + i);
    run.zones = model::ValidZones{i % 2 == 0 ? model::Zone::Movable : model::Zone::Normal};
    host.blocks.push_back(run);
  }
  diag::Sink sink;
  const auto plan = plan::plan_unplug(plan::parse_unplug("virtio-mem").value(), host, sink);
  CHECK(plan);
}
