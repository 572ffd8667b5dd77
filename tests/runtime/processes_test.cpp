// SPDX-License-Identifier: LGPL-2.1-or-later
// Which processes have pages in memory blocks, and what they may have pinned there.
#include "runtime/host/processes.hpp"

#include <map>

#include <fmt/format.h>

#include "compiler/render/explanation.hpp"
#include "tests/runtime/sample_tree.hpp"
#include "tests/support/catch.hpp"

namespace memonline {

using model::BlockId;
using model::Host;
using runtime::Processes;

namespace {

constexpr std::uint64_t kPages = 32768;
constexpr std::uint64_t kPresent = std::uint64_t{1} << 63U;

/// Pages in a row from an address on, in page numbers: virtual to physical.
using Mapped = std::map<std::uint64_t, std::pair<std::uint64_t, std::uint64_t>>;

void add_process(runtime::MemoryTree& tree, unsigned id, const std::string& name,
                 std::uint64_t pinned_kib, const Mapped& mapped) {
  std::uint64_t resident = 0;
  std::string smaps;
  std::string pagemap;
  for (const auto& [at, run] : mapped) {
    const auto& [frame, count] = run;
    resident += count;
    // As many pages again are reserved and not in memory.
    smaps +=
        fmt::format("{:x}-{:x} rw-p 00000000 00:00 0 \nSize: {} kB\nRss:  {:10} kB\nPss: 1 kB\n",
                    at * 4096, (at + 2 * count) * 4096, count * 8, count * 4);
    pagemap.resize((at + 2 * count) * 8, '\0');
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t entry = kPresent | (frame + i);
      for (unsigned byte = 0; byte < 8; ++byte)
        pagemap[(at + i) * 8 + byte] = static_cast<char>(entry >> (byte * 8U));
    }
  }
  const std::string directory = fmt::format("proc/{}/", id);
  tree.add_file(directory + "status",
                fmt::format("Name:\t{}\nState:\tS\nVmPin:\t{:8} kB\nVmRSS:\t{:8} kB\n", name,
                            pinned_kib, resident * 4));
  tree.add_file(directory + "smaps", smaps);
  tree.add_file(directory + "pagemap", pagemap);
}

/// Two processes: 100 has pages in memory2 and memory3, 200 in memory3, of which a half is pinned.
Host sample(runtime::MemoryTree& tree) {
  test::add_sample(tree);
  add_process(tree, 100, "postgres", 0, {{16, {2 * kPages + 5, 300}}, {4096, {3 * kPages, 20}}});
  add_process(tree, 200, "qemu-system-x86", 2000, {{64, {3 * kPages + 100, 1000}}});
  tree.add_file("proc/2/status", "Name:\tkthreadd\nState:\tS\n");
  tree.add_file("proc/kpageflags", std::string(8 * kPages * 8, '\0'));
  Host host = test::host_of(tree);
  runtime::read_contents(tree, {{BlockId(2), BlockId(4)}}, host);
  return host;
}

const std::vector<model::BlockRange> kBlocks{{BlockId(2), BlockId(4)}};

}  // namespace

TEST_CASE("processes: their pages by block, and an estimate of what is pinned") {
  runtime::MemoryTree tree;
  Host host = sample(tree);
  runtime::read_processes(tree, kBlocks, Processes::All, host);
  REQUIRE(host.processes.size() == 2);
  CHECK(host.processes[0].command == "postgres");
  CHECK(host.processes[0].pages ==
        std::vector<std::pair<BlockId, std::uint64_t>>{{BlockId(2), 300}, {BlockId(3), 20}});
  CHECK(host.processes[1].pinned == model::Bytes(2000ULL << 10U));
  CHECK(model::find_contents(host.contents, BlockId(2))->pinned == 0);
  CHECK(model::find_contents(host.contents, BlockId(3))->pinned == 500);
  const auto text = render::explain("memory3", host, nullptr, render::Form::Text).value();
  CHECK(text.find("  used   qemu-system-x86 (200): 3.9 MiB, 2 MiB pinned in total\n"
                  "         postgres (100): 80 KiB\n") != std::string::npos);
  const auto json = render::explain("memory3", host, nullptr, render::Form::Json).value();
  CHECK(json.find(R"({"pid": 100, "command": "postgres", "bytes": 81920, "pinned": 0})") !=
        std::string::npos);
}

TEST_CASE("processes: those without pinned memory are not read for a plan") {
  runtime::MemoryTree tree;
  Host host = sample(tree);
  runtime::read_processes(tree, kBlocks, Processes::Pinning, host);
  REQUIRE(host.processes.size() == 1);
  CHECK(host.processes[0].id == 200);
}

TEST_CASE("processes: one that exits during the scan, or hides its pages, is left out") {
  runtime::MemoryTree tree;
  Host host = sample(tree);
  tree.add_error("proc/100/smaps", runtime::Errno{3});
  tree.add_error("proc/200/pagemap", runtime::Errno{1});
  runtime::read_processes(tree, kBlocks, Processes::All, host);
  CHECK(host.processes.empty());
}

TEST_CASE("processes: pinned memory keeps a block of a kernel zone, and Movable up to 5.14") {
  runtime::MemoryTree tree;
  Host host = sample(tree);
  for (model::BlockContents& one : host.contents) {
    one.pages = {};
    one.pages[static_cast<std::size_t>(model::PageUse::Anonymous)] = 1000;
  }
  const auto chance = [&](model::Era era, model::Zone zone) {
    Host some = host;
    some.era = era;
    for (model::BlockRun& run : some.blocks)
      if (run.state == model::State::Online) run.zones = {zone};
    runtime::read_processes(tree, kBlocks, Processes::Pinning, some);
    const auto text = render::explain("memory3", some, nullptr, render::Form::Text).value();
    return text.find("about 2 MiB pinned by processes") != std::string::npos;
  };
  CHECK(chance(model::Era::D, model::Zone::Normal));
  CHECK(chance(model::Era::C2, model::Zone::Movable));
  CHECK_FALSE(chance(model::Era::D, model::Zone::Movable));
}

}  // namespace memonline
