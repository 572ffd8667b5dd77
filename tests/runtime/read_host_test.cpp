// SPDX-License-Identifier: LGPL-2.1-or-later
// The sources that are not trees in memory: directories, archives, snapshots, lsmem's JSON.
#include "runtime/host/read_host.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <unistd.h>

#include "runtime/host/capture.hpp"
#include "tests/runtime/sample_tree.hpp"
#include "tests/support/catch.hpp"

namespace memonline {

namespace fs = std::filesystem;
using model::BlockId;
using model::Era;
using model::State;
using model::ValidZones;
using model::Zone;
using runtime::read_host;
using runtime::read_host_text;

namespace {

/// A directory of its own, gone with the test.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (fs::temp_directory_path() / "memonline-test-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() { fs::remove_all(path_); }
  [[nodiscard]] const fs::path& path() const { return path_; }
  void write(const std::string& name, const std::string& content) const {
    fs::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << content;
  }

 private:
  fs::path path_;
};

std::string data(const std::string& name) {
  std::ifstream file(MEMONLINE_TESTS_DIR "/runtime/data/" + name, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string error_of(const std::string& source) {
  const auto host = read_host(source);
  REQUIRE_FALSE(host.has_value());
  return host.error().message;
}

void write_tree(const TemporaryDirectory& at, const std::string& below = "") {
  const std::string memory = below + test::kMemory;
  at.write(memory + "block_size_bytes", "8000000\n");
  for (int id = 0; id < 12; ++id) {
    at.write(memory + "memory" + std::to_string(id) + "/state", id < 8 ? "online\n" : "offline\n");
    at.write(memory + "memory" + std::to_string(id) + "/valid_zones",
             id < 8 ? "Normal\n" : "Normal Movable\n");
  }
}

}  // namespace

TEST_CASE("read host: a directory") {
  TemporaryDirectory directory;
  write_tree(directory);
  const std::string memory = test::kMemory;
  fs::create_symlink("../../../LNXSYSTM:00/PNP0C80:1f",
                     directory.path() / memory / "memory9/firmware_node");
  const auto host = read_host(directory.path().string());
  REQUIRE(host.has_value());
  CHECK(host->name == directory.path().string());
  CHECK(host->find_block(BlockId(7))->state == State::Online);
  CHECK(host->devices[host->find_block(BlockId(9))->device].name == "dimm31");
  CHECK(host->devices[host->find_block(BlockId(9))->device].number == 31U);
  CHECK(host->devices[host->find_block(BlockId(10))->device].name == "unknown");
  CHECK(host->unread.empty());
}

TEST_CASE("read host: links in a tree are never followed") {
  TemporaryDirectory outside;
  outside.write("state", "online\n");
  outside.write("valid_zones", "Normal\n");
  outside.write("cmdline", "movable_node\n");
  TemporaryDirectory directory;
  write_tree(directory);
  fs::create_directory_symlink(outside.path(), directory.path() / test::kMemory / "memory20");
  fs::create_directories(directory.path() / "proc");
  fs::create_symlink(outside.path() / "cmdline", directory.path() / "proc/cmdline");
  const auto host = read_host(directory.path().string());
  REQUIRE(host.has_value());
  CHECK(host->find_block(BlockId(20))->state == State::Unknown);
  CHECK(host->command_line.empty());
  REQUIRE(host->unread.size() >= 2);
  for (const model::Unread& note : host->unread) CHECK(note.reason == "symbolic link on the path");
}

TEST_CASE("read host: a file that may not be read is said with its path") {
  if (::geteuid() == 0) return;  // root may read all; the tree in memory tests the same
  TemporaryDirectory directory;
  write_tree(directory);
  directory.write("proc/zoneinfo", "");
  fs::permissions(directory.path() / "proc/zoneinfo", fs::perms::none);
  const auto host = read_host(directory.path().string());
  REQUIRE(host.has_value());
  REQUIRE(host->unread.size() == 1);
  CHECK(host->unread[0] == model::Unread{"/proc/zoneinfo", "permission denied"});
}

TEST_CASE("read host: large trees are read by several threads, with the same result") {
  TemporaryDirectory directory;
  directory.write(test::kMemory + "block_size_bytes", "8000000\n");
  constexpr int kBlocks = 4200;
  for (int id = 0; id < kBlocks; ++id)
    directory.write(test::kMemory + "memory" + std::to_string(id) + "/state",
                    id % 3 == 0 ? "offline\n" : "online\n");
  const auto host = read_host(directory.path().string());
  REQUIRE(host.has_value());
  for (std::uint64_t id = 0; id < kBlocks; ++id)
    if ((host->find_block(BlockId(id))->state == State::Offline) != (id % 3 == 0)) {
      FAIL("block " << id << " is wrong");
    }
}

TEST_CASE("read host: this machine") {
  const auto host = read_host("/");
  REQUIRE(host.has_value());
  CHECK(host->name == "/");
  CHECK_FALSE(host->arch.empty());
  CHECK_FALSE(host->kernel.empty());
  CHECK(host->page_size == static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
}

TEST_CASE("read host: archives, also of a tree within one directory") {
  TemporaryDirectory directory;
  write_tree(directory, "captured/");
  const std::string plain = (directory.path() / "plain.tar").string();
  const std::string zipped = (directory.path() / "tree.bin").string();
  const std::string base = "tar -C '" + directory.path().string();
  REQUIRE(std::system((base + "' -cf '" + plain + "' captured").c_str()) == 0);
  REQUIRE(std::system((base + "/captured' -czf '" + zipped + "' ./sys").c_str()) == 0);
  for (const std::string& path : {plain, zipped}) {
    const auto host = read_host(path);
    INFO((host ? "" : host.error().message));
    REQUIRE(host.has_value());
    CHECK(host->blocks.size() == 2);
  }
  directory.write("broken.tar.xz", std::string("\xfd"
                                               "7zXZ\0broken",
                                               12));
  CHECK(error_of((directory.path() / "broken.tar.xz").string()).find("cannot unpack the archive") ==
        0);
}

TEST_CASE("read host: what is no host is refused with a reason") {
  TemporaryDirectory directory;
  CHECK(error_of(directory.path().string()) == "not a captured host: it has neither sys nor proc");
  CHECK(error_of((directory.path() / "missing").string()) == "no such file or directory");
  for (const auto& [content, message] : std::vector<std::pair<std::string, std::string>>{
           {"",
            "unknown format: expected a tar archive, a snapshot or the output of `lsmem --json`"},
           {"hello",
            "unknown format: expected a tar archive, a snapshot or the output of `lsmem --json`"},
           {"{", "invalid JSON"},
           {"{\"a\": 1}", "not the output of `lsmem --json`: no list `memory`"},
           {"schema: other/1",
            "line 1: unsupported schema `other/1`: expected `memonline.host/1`"}}) {
    directory.write("file", content);
    CHECK(error_of((directory.path() / "file").string()) == message);
  }
}

TEST_CASE("lsmem: its JSON tells blocks, states, zones and nodes") {
  const auto json = read_host_text(data("lsmem-6.12-c1.json"));
  REQUIRE(json.has_value());
  const auto tree = read_host(MEMONLINE_TESTS_DIR "/hosts/6.12-c1.tar.xz");
  REQUIRE(tree.has_value());
  CHECK(json->block_size == tree->block_size);
  CHECK(json->nodes.size() == 2);
  CHECK_FALSE(json->nodes[0].has_cpu.has_value());
  for (const model::BlockRun& run : tree->blocks)
    for (BlockId id = run.first; id < run.end(); id = id + 1) {
      const model::BlockRun* other = json->find_block(id);
      REQUIRE(other != nullptr);
      CHECK(other->state == run.state);
      CHECK(other->zones == run.zones);
      CHECK(other->node == run.node);
      CHECK(json->devices[other->device].kind == model::Device::Kind::Unknown);
    }
  CHECK(json->era == Era::C2);
  CHECK_FALSE(json->zone_spans_known);
  CHECK(json->arch.empty());
  REQUIRE(json->unread.size() == 1);
  CHECK(json->unread[0].path == "lsmem");
}

TEST_CASE("lsmem: fewer columns, sizes for people, other states") {
  const auto host = read_host_text(data("lsmem-6.12-c1-default.json"));
  REQUIRE(host.has_value());
  CHECK(host->block_size.value() == 128U << 20U);
  CHECK(host->blocks.size() == 6);
  CHECK(host->blocks[0].zones.kind() == ValidZones::Kind::Unknown);
  CHECK_FALSE(host->blocks[0].node.has_value());

  const auto sizes = read_host_text(
      R"({"memory": [{"size": "1.5G", "state": "on->off", "block": "8-10", "zones": null},
                     {"size": "512M", "state": "offline", "block": "2", "zones": "Movable/Normal"}]})");
  REQUIRE(sizes.has_value());
  CHECK(sizes->block_size.value() == 512U << 20U);
  REQUIRE(sizes->blocks.size() == 2);
  CHECK(sizes->blocks[0].first == BlockId(2));
  CHECK(sizes->blocks[0].zones == ValidZones{Zone::Movable, Zone::Normal});
  CHECK(sizes->blocks[1].state == State::GoingOffline);
}

TEST_CASE("lsmem: contradictions are errors") {
  for (const auto& [rows, message] : std::vector<std::pair<std::string, std::string>>{
           {R"({"size": 4096})", "row 1 of lsmem: missing or invalid column BLOCK"},
           {R"({"block": "0-99999999999999999999"})",
            "row 1 of lsmem: missing or invalid column BLOCK"},
           {R"({"block": "0"})",
            "row 1 of lsmem: columns RANGE and SIZE are missing, or do not match BLOCK"},
           {R"({"block": "0", "size": 8192}, {"block": "1", "size": 4096})",
            "row 2 of lsmem: blocks of 4096 bytes, but 8192 bytes in earlier rows"},
           {R"({"block": "0-1", "size": 8192}, {"block": "1", "size": 4096})",
            "block 1 is in two rows of lsmem"},
           {"5", "row 1 of lsmem: not an object"}}) {
    const auto host = read_host_text("{\"memory\": [" + rows + "]}");
    REQUIRE_FALSE(host.has_value());
    CHECK(host.error().message == message);
  }
}

}  // namespace memonline
