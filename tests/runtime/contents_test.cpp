// SPDX-License-Identifier: LGPL-2.1-or-later
// What memory holds, read from /proc/kpageflags: of the blocks that are asked for and online, at
// most so much, and said once where it cannot be read. Kept in snapshots.
#include "runtime/host/contents.hpp"

#include <cerrno>
#include <filesystem>
#include <fstream>

#include <unistd.h>

#include "compiler/model/facts.hpp"
#include "runtime/host/capture.hpp"
#include "tests/runtime/sample_tree.hpp"
#include "tests/support/catch.hpp"

namespace memonline {

using model::BlockId;
using model::BlockRange;
using model::Host;
using model::PageUse;
using runtime::read_contents;

namespace {

constexpr std::uint64_t kPages = 32768;

/// The flags of 8 blocks: block N has N pages of slab, then free ones.
std::string page_flags(std::uint64_t blocks = 8) {
  std::string words(blocks * kPages * 8, '\0');
  for (std::uint64_t page = 0; page < blocks * kPages; ++page) {
    const bool slab = page % kPages < page / kPages;
    words[page * 8 + (slab ? 0 : 1)] = static_cast<char>(slab ? 0x80 : 0x04);
  }
  return words;
}

Host sample(runtime::MemoryTree& tree) {
  test::add_sample(tree);
  return test::host_of(tree);
}

const std::vector<BlockRange> kAll{{BlockId(0), BlockId(35)}};

}  // namespace

TEST_CASE("contents: of online blocks, in their order") {
  runtime::MemoryTree tree;
  Host host = sample(tree);
  const std::string before = model::canonical_text(host);
  tree.add_file("proc/kpageflags", page_flags());
  tree.add_file("proc/meminfo", "MemTotal: 1048576 kB\nHugePages_Free:        7\n");
  tree.add_file("proc/zoneinfo",
                "Node 0, zone   Normal\n  pagesets\n    cpu: 0\n              count:    30\n"
                "              high:     90\n    cpu: 1\n              count: 5\n");
  tree.add_file(
      "proc/buddyinfo",
      "Node 0, zone    DMA32      1      2      3\nNode 0, zone   Normal     10     20     30\n");
  std::vector<std::uint64_t> progress;
  read_contents(tree, {{BlockId(6), BlockId(35)}, {BlockId(2), BlockId(3)}}, host,
                runtime::kMaxPagesRead, [&](std::uint64_t done, std::uint64_t all) {
                  progress.push_back(done);
                  return all == 4;
                });
  REQUIRE(host.contents.size() == 4);
  CHECK(progress == std::vector<std::uint64_t>{1, 2, 3, 4});
  for (const model::BlockContents& one : host.contents) {
    CHECK(one[PageUse::Slab] == one.block.value());
    CHECK(one[PageUse::Free] == kPages - one.block.value());
  }
  CHECK(host.contents.front().block == BlockId(2));
  CHECK(host.free_pages == model::FreePages{{11, 22, 33}, 35, 7, true});
  CHECK(model::find_contents(host.contents, BlockId(7)) != nullptr);
  CHECK(model::find_contents(host.contents, BlockId(5)) == nullptr);
  CHECK(model::canonical_text(host) == before);
}

TEST_CASE("contents: no more than is allowed, the first of the request first") {
  runtime::MemoryTree tree;
  Host host = sample(tree);
  tree.add_file("proc/kpageflags", page_flags());
  read_contents(tree, {{BlockId(6), BlockId(6)}, {BlockId(0), BlockId(5)}}, host, 2 * kPages + 1);
  REQUIRE(host.contents.size() == 2);
  CHECK(host.contents[0].block == BlockId(0));
  CHECK(host.contents[1].block == BlockId(6));
  Host stopped = sample(tree);
  read_contents(tree, kAll, stopped, runtime::kMaxPagesRead,
                [](std::uint64_t done, std::uint64_t) { return done < 3; });
  CHECK(stopped.contents.size() == 3);
}

TEST_CASE("contents: what cannot be read is said once") {
  runtime::MemoryTree tree;
  Host without = sample(tree);
  const std::size_t notes = without.unread.size();
  read_contents(tree, kAll, without);
  CHECK(without.contents.empty());
  CHECK(without.unread.size() == notes);  // this kernel, or this capture, has no such file
  tree.add_error("proc/kpageflags", runtime::Errno{EACCES});
  Host refused = sample(tree);
  read_contents(tree, kAll, refused);
  REQUIRE(refused.unread.size() == notes + 1);
  CHECK(refused.unread.back() == model::Unread{"/proc/kpageflags", "permission denied"});
  // A block that the file ends in: the rest is not RAM. Blocks behind it: unknown.
  tree.add_file("proc/kpageflags", page_flags(3).substr(0, (2 * kPages + kPages / 2) * 8));
  Host shorter = sample(tree);
  read_contents(tree, {{BlockId(6), BlockId(6)}, {BlockId(0), BlockId(5)}}, shorter);
  REQUIRE(shorter.contents.size() == 3);
  CHECK(shorter.contents[2][PageUse::Hole] == kPages / 2);
  CHECK(shorter.contents[2][PageUse::Free] == kPages / 2 - 2);
  CHECK(shorter.unread.back() == model::Unread{"/proc/kpageflags", "ends early"});
}

TEST_CASE("contents: of a directory, and never twice") {
  namespace fs = std::filesystem;
  const fs::path root = fs::temp_directory_path() / ("contents-" + std::to_string(::getpid()));
  fs::create_directories(root / "proc");
  std::ofstream(root / "proc/kpageflags", std::ios::binary) << page_flags();
  runtime::MemoryTree tree;
  Host host = sample(tree);
  runtime::read_contents_below(root, {{BlockId(5), BlockId(5)}}, host);
  REQUIRE(host.contents.size() == 1);
  CHECK(host.contents[0][PageUse::Slab] == 5);
  runtime::read_contents_below(root, kAll, host);
  CHECK(host.contents.size() == 1);
  fs::remove_all(root);
}

TEST_CASE("contents: a snapshot keeps them") {
  runtime::MemoryTree tree;
  Host host = sample(tree);
  tree.add_file("proc/kpageflags", page_flags());
  read_contents(tree, kAll, host);
  host.contents[0].huge = {{512, 1024}, {kPages, 0}};
  host.contents[0].transparent = 512;
  host.contents[0].pinned = 7;
  host.free_pages = {{11, 22, 33}, 35, 7, true};
  host.contents[5].pages[static_cast<std::size_t>(PageUse::Kernel)] = 9;
  host.contents[5].pages[static_cast<std::size_t>(PageUse::Free)] -= 9;
  host.contents[5].bare = 8;
  host.contents[5].huge_in_use = 1;
  host.contents[4] = host.contents[3];
  host.contents[4].block = BlockId(4);
  for (const std::size_t i : {3U, 4U}) host.contents[i].unmovable.reset();
  const std::string text = runtime::write_snapshot(host);
  CHECK(text.find("\n  - {blocks: [3, 4], free: 32765, slab: 3}\n") != std::string::npos);
  const auto back = runtime::read_host_text(text);
  REQUIRE(back);
  CHECK(back->contents == host.contents);
  CHECK(back->free_pages == host.free_pages);
  CHECK(back->fingerprint == host.fingerprint);
}

TEST_CASE("contents: what a snapshot cannot hold is an error with its line") {
  runtime::MemoryTree tree;
  const std::string text = runtime::write_snapshot(sample(tree));
  const auto refused = [&](const std::string& line) {
    const auto host = runtime::read_host_text(text + "contents:\n  - " + line + "\n");
    return host ? std::string("accepted") : host.error().message.substr(9);
  };
  CHECK(refused("{blocks: [3, 4], free: 32765}") == "accepted");
  const std::string range = "expected blocks of one range of `blocks`, in ascending order";
  CHECK(refused("{blocks: [6, 9], free: 1}") == range);
  CHECK(refused("{blocks: [4, 3], free: 1}") == range);
  CHECK(refused("{blocks: [4, 5], free: 1}\n  - {blocks: [5, 6]}") == range);
  const std::string part = "no pages, or a part of them larger than all";
  CHECK(refused("{blocks: [4, 4]}") == part);
  CHECK(refused("{blocks: [4, 4], free: 5, pinned: 6}") == part);
  CHECK(refused("{blocks: [4, 4], free: 5, huge: [0, 1]}") == "invalid huge pages");
  CHECK(refused("{blocks: [4, 4], free: 32768, slab: 1}") == "more pages than a block has");
  CHECK(refused("{blocks: [4, 4], huge: [512]}") == "expected sizes and pages");
  CHECK(refused("{blocks: [4, 4], huge: [512, 1, 512, 2]}") == "sizes must be in ascending order");
  CHECK(refused("{blocks: [4, 4], slab: many}") == "invalid number `many`");
}

}  // namespace memonline
