// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/bench/tree.hpp"

#include <fstream>
#include <map>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace memonline::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kBlockSize = std::uint64_t{128} << 20U;
constexpr std::uint64_t kPagesPerBlock = kBlockSize / 4096;

void put(const fs::path& path, std::string_view text) {
  fs::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary);
  file << text << '\n';
}

/// Equal files of the blocks share one inode: a quarter of the space, and quicker to make.
class BlockFiles {
 public:
  void put(const fs::path& path, const std::string& text) {
    fs::path& first = first_[path.filename().string() + '=' + text];
    if (first.empty()) {
      bench::put(path, text);
      first = path;
    } else {
      fs::create_hard_link(first, path);
    }
  }

 private:
  std::map<std::string, fs::path> first_;
};

std::string zone_text(int node, std::string_view name, std::uint64_t first, std::uint64_t blocks) {
  const std::uint64_t pages = blocks * kPagesPerBlock;
  std::string text = fmt::format(
      "Node {}, zone {:>8}\n  pages free     {}\n        spanned  {}\n"
      "        present  {}\n        managed  {}\n        cma      0\n",
      node, name, pages, pages, pages, pages);
  if (pages > 0) text += fmt::format("  start_pfn:           {}\n", first * kPagesPerBlock);
  return text;
}

}  // namespace

void write_tree(const fs::path& root, std::uint64_t blocks) {
  const fs::path done = root / "complete";
  if (fs::exists(done)) return;
  fs::remove_all(root);
  const std::uint64_t boot = blocks / 2;
  const std::uint64_t movable = blocks / 4;

  const fs::path memory = root / "sys/devices/system/memory";
  const fs::path nodes = root / "sys/devices/system/node";
  put(memory / "block_size_bytes", fmt::format("{:x}", kBlockSize));
  put(memory / "auto_online_blocks", "offline");
  BlockFiles files;
  for (std::uint64_t i = 0; i < blocks; ++i) {
    const bool is_boot = i < boot;
    const bool online = i < boot + movable;
    const fs::path block = memory / fmt::format("memory{}", i);
    put(block / "phys_index", fmt::format("{:08x}", i));
    files.put(block / "online", online ? "1" : "0");
    files.put(block / "phys_device", "0");
    files.put(block / "removable", "1");
    files.put(block / "state", online ? "online" : "offline");
    files.put(block / "valid_zones", is_boot ? "Normal" : online ? "Movable" : "Normal Movable");
    const std::string node = is_boot ? "node0" : "node1";
    fs::create_directory_symlink("../../node/" + node, block / node);
    fs::create_directories(nodes / node);
    fs::create_directory_symlink(fmt::format("../../memory/memory{}", i),
                                 nodes / node / fmt::format("memory{}", i));
  }

  put(nodes / "online", "0-1");
  put(nodes / "possible", "0-1");
  put(nodes / "has_cpu", "0-1");
  put(nodes / "has_memory", "0-1");
  put(nodes / "has_normal_memory", "0");
  for (const char* node : {"node0", "node1"}) put(nodes / node / "cpulist", "0");

  const fs::path parameters = root / "sys/module/memory_hotplug/parameters";
  put(parameters / "online_policy", "contig-zones");
  put(parameters / "auto_movable_ratio", "301");
  put(parameters / "auto_movable_numa_aware", "Y");
  put(parameters / "memmap_on_memory", "N");

  const fs::path firmware = root / "sys/firmware/memmap/0";
  put(firmware / "start", "0x0");
  put(firmware / "end", fmt::format("{:#x}", boot * kBlockSize - 1));
  put(firmware / "type", "System RAM");

  const fs::path proc = root / "proc";
  put(proc / "cmdline", "BOOT_IMAGE=/vmlinuz memhp_default_state=offline");
  put(proc / "version", "Linux version 6.12.0 (bench)");
  put(proc / "sys/kernel/osrelease", "6.12.0");
  put(proc / "meminfo",
      fmt::format("MemTotal:       {} kB\nMemAvailable:   {} kB\n"
                  "KReclaimable:   0 kB",
                  (boot + movable) * (kBlockSize >> 10U), (boot + movable) * (kBlockSize >> 10U)));
  put(proc / "vmstat", "nr_foll_pin_acquired 0\nnr_memmap_pages 0\nswap_ra 0");
  put(proc / "iomem",
      fmt::format("{:08x}-{:08x} : System RAM\n{:08x}-{:08x} : System RAM", std::uint64_t{0},
                  boot * kBlockSize - 1, boot * kBlockSize, blocks * kBlockSize - 1));
  put(proc / "zoneinfo", zone_text(0, "Normal", 0, boot) + zone_text(0, "Movable", 0, 0) +
                             zone_text(1, "Normal", 0, 0) + zone_text(1, "Movable", boot, movable));
  put(done, "");
}

model::Host eight_runs(std::uint64_t length) {
  using model::BlockId;
  using model::NodeId;
  using model::Zone;
  model::Host host;
  host.name = "bench";
  host.kernel = "6.12.0";
  host.arch = "x86_64";
  host.virtualization = "none";
  host.block_size = model::Bytes(kBlockSize);
  host.era = model::Era::D;
  host.memory = model::Bytes(length * kBlockSize);
  host.memory_available = host.memory;
  host.knobs.auto_online_blocks = "offline";
  host.zone_spans_known = true;
  host.devices = {{model::Device::Kind::Boot, model::Origin::Boot, "boot", "", {}},
                  {model::Device::Kind::None, model::Origin::Hotplugged, "none", "", {}}};
  for (std::uint32_t i = 0; i < 8; ++i) {
    const bool boot = i == 0;
    model::Node node;
    node.id = NodeId(i);
    node.has_cpu = boot;
    if (boot) {
      const std::uint64_t pages = length * kPagesPerBlock;
      node.zones[static_cast<std::size_t>(Zone::Normal)] = {model::Pfn(0), pages, pages, pages, 0};
    }
    host.nodes.push_back(node);
    model::BlockRun run;
    run.first = BlockId(i * length);
    run.count = length;
    run.state = boot ? model::State::Online : model::State::Offline;
    run.zones =
        boot ? model::ValidZones{Zone::Normal} : model::ValidZones{Zone::Normal, Zone::Movable};
    run.node = NodeId(i);
    run.device = boot ? 0 : 1;
    model::append_run(host.blocks, run);
  }
  return host;
}

}  // namespace memonline::bench
