// SPDX-License-Identifier: LGPL-2.1-or-later
// A host as a value: its memory as the kernel shows it, in runs of equal neighboring blocks, so
// that the cost depends on the number of runs, not on the size. Made by runtime/ (or by hand in a
// test); facts that the source does not provide are marked unknown, never guessed.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "compiler/model/agent.hpp"
#include "compiler/model/block_set.hpp"
#include "compiler/model/contents.hpp"
#include "compiler/model/era.hpp"
#include "compiler/model/units.hpp"
#include "compiler/model/zone.hpp"

namespace memonline::model {

/// A block's `state`. Unknown: unreadable, or a word this version does not know.
enum class State : std::uint8_t { Online, Offline, GoingOffline, Unknown };
std::string_view state_name(State state);

/// Where memory came from. Boot: in the firmware's own map, or, where there is none, online before
/// any device or driver claimed it. Hotplugged: all other.
enum class Origin : std::uint8_t { Boot, Hotplugged, Unknown };

/// The device of a set of blocks; hosts list each once, and runs refer to it by index.
struct Device {
  enum class Kind : std::uint8_t {
    Boot,       ///< name "boot"
    Dimm,       ///< ACPI memory device; name "dimm0", number from PNP0C80:NN (hexadecimal there)
    VirtioMem,  ///< name "virtio0" (the parent in /proc/iomem)
    Dax,        ///< name "dax0.0"
    Driver,     ///< managed by another driver
    Standby,    ///< standby memory of s390x; name "standby"
    None,       ///< hot-added without a device that shows (Hyper-V, Xen, DLPAR, probe)
    Unknown,    ///< not provided by the source; name "unknown"
  };
  Kind kind = Kind::Unknown;
  Origin origin = Origin::Unknown;
  std::string name = "unknown";
  std::string driver;                   ///< "System RAM (NAME)" in /proc/iomem: kmem, virtio_mem
  std::optional<std::uint32_t> number;  ///< DIMMs: what `dimm N` means
  friend bool operator==(const Device&, const Device&) = default;
};

/// A dax device: memory of a CXL card, of persistent DIMMs or set apart by the firmware. It has
/// blocks only while the driver kmem has made it system RAM.
struct DaxDevice {
  std::string name;            ///< "dax0.0"
  std::string driver;          ///< "kmem", "device_dax"; empty: none, or it does not show
  Bytes size;                  ///< 0: unknown
  std::optional<NodeId> node;  ///< of its memory (target_node)
  /// What `state` reads (7.3+): what was last asked of it, which its blocks may have left since.
  std::string state;
  std::string region;                       ///< "region0"; empty: not of CXL
  std::vector<std::string> memory_devices;  ///< that the region interleaves: "mem0"
  /// That it has as system RAM: whole blocks of its ranges, ascending, disjoint. Empty: the ranges
  /// do not show, or none holds a block.
  std::vector<BlockRange> blocks;
  /// Whether its blocks hold their own memory map if memmap_on_memory is supported at all (its own
  /// file of that name, 6.8+). Empty: this kernel has no such file.
  std::optional<bool> own_map;
  [[nodiscard]] bool is_system_ram() const { return driver == "kmem"; }
  friend bool operator==(const DaxDevice&, const DaxDevice&) = default;
};

/// Nodes of about the same speed; the kernel demotes pages from a tier to the next.
struct MemoryTier {
  std::string name;  ///< "memory_tier4"
  std::vector<NodeId> nodes;
  friend bool operator==(const MemoryTier&, const MemoryTier&) = default;
};

/// Neighboring blocks that differ in nothing but their number.
struct BlockRun {
  BlockId first;
  std::uint64_t count = 1;
  State state = State::Unknown;
  ValidZones zones;
  std::optional<NodeId> node;  ///< the lowest where several nodes share the blocks
  bool several_nodes = false;
  std::uint32_t device = 0;  ///< index into Host::devices
  bool holes = false;        ///< part of each block is not RAM: it can never be offlined (5.5+)
  [[nodiscard]] BlockId last() const { return first + (count - 1); }
  [[nodiscard]] BlockId end() const { return first + count; }
  [[nodiscard]] BlockRange range() const { return {first, last()}; }
  /// Equal in all but position: may be merged when neighbors.
  [[nodiscard]] bool same_kind(const BlockRun& other) const {
    return state == other.state && zones == other.zones && node == other.node &&
           several_nodes == other.several_nodes && device == other.device && holes == other.holes;
  }
  friend bool operator==(const BlockRun&, const BlockRun&) = default;
};

/// One zone of one node from /proc/zoneinfo, in pages. start is meaningful only if spanned > 0.
struct ZoneSpan {
  Pfn start;
  std::uint64_t spanned = 0;
  std::uint64_t present = 0;
  std::uint64_t managed = 0;
  std::uint64_t cma = 0;
  [[nodiscard]] bool empty() const { return spanned == 0; }
  [[nodiscard]] Pfn end() const { return start + spanned; }
  [[nodiscard]] PageRange pages() const { return {start.value(), end().value()}; }
  [[nodiscard]] bool contains(Pfn page) const { return !empty() && start <= page && page < end(); }
  friend bool operator==(const ZoneSpan&, const ZoneSpan&) = default;
};

/// The page counts of a zone, from /proc/zoneinfo; empty: not reported. Not part of the
/// fingerprint.
struct ZoneUse {
  std::optional<std::uint64_t> free;
  std::optional<std::uint64_t> high;  ///< the high watermark
  std::optional<std::uint64_t> file;  ///< active and inactive page cache (4.8+)
  friend bool operator==(const ZoneUse&, const ZoneUse&) = default;
};

/// The memory of a node, from its own meminfo; empty: not reported. Not part of the
/// fingerprint.
struct NodeUse {
  std::optional<Bytes> free;
  std::optional<Bytes> file;  ///< active and inactive page cache
  std::optional<Bytes> slab;  ///< slab that the kernel can reclaim
  friend bool operator==(const NodeUse&, const NodeUse&) = default;
};

struct Node {
  NodeId id;
  std::optional<bool> has_cpu;               ///< empty: unknown
  std::array<ZoneSpan, kZoneCount> zones{};  ///< by Zone; meaningful if Host::zone_spans_known
  std::array<ZoneUse, kZoneCount> use{};     ///< by Zone
  NodeUse memory{};
  friend bool operator==(const Node&, const Node&) = default;
};

/// The kernel settings as read, in the order of their names (model/knob.hpp); empty where the file
/// does not exist or cannot be read.
enum class Knob : std::uint8_t {
  AutoMovableNumaAware,
  AutoMovableRatio,
  AutoOnlineBlocks,
  MemmapOnMemory,
  OnlinePolicy,
};

/// Their values; empty: this kernel has none, or it could not be read.
struct Knobs {
  std::optional<std::string> auto_online_blocks;    ///< offline online online_kernel online_movable
  std::optional<std::string> online_policy;         ///< contig-zones auto-movable (5.15+)
  std::optional<std::uint64_t> auto_movable_ratio;  ///< percent
  std::optional<bool> auto_movable_numa_aware;
  std::optional<std::string> memmap_on_memory;  ///< N Y force
  friend bool operator==(const Knobs&, const Knobs&) = default;
};

/// Something that could not be read, said once, with its path.
struct Unread {
  std::string path;
  std::string reason;
  friend bool operator==(const Unread&, const Unread&) = default;
};

/// Kinds of device that no block of an unknown device can have come with.
struct RuledOut {
  bool dimm = false;
  bool virtio_mem = false;
  bool dax = false;
  friend bool operator==(const RuledOut&, const RuledOut&) = default;
};

struct Host {
  std::string name;            ///< where it was read from: "/", a directory, a file
  std::string kernel;          ///< uname release; for display and the `kernel` fact, never the era
  std::string arch;            ///< as uname -m; empty: unknown
  std::string virtualization;  ///< systemd-detect-virt's word, "none" on bare metal; empty: unknown
  std::string vendor;          ///< DMI sys_vendor; empty: unknown
  std::string product;         ///< DMI product_name; empty: unknown
  std::string family;          ///< DMI product_family; empty: unknown
  std::optional<Bytes> memory;  ///< MemTotal
  std::optional<Bytes>
      memory_available;  ///< MemAvailable: for forecasts; not part of the fingerprint
  Bytes block_size;      ///< 0: this host shows no memory hotplug
  std::uint64_t page_size = 4096;
  /// MAX_ORDER_NR_PAGES, the largest block of free pages, as the columns of /proc/buddyinfo show
  /// it. Not part of the fingerprint.
  std::uint64_t max_order_pages = 1024;
  Era era = Era::C1;
  std::string era_evidence;               ///< what showed the era, in a few words
  EraFacts facts;                         ///< what the era was detected from
  std::vector<std::string> command_line;  ///< /proc/cmdline, split as the kernel does
  /// Words that an earlier run handed to the boot loader: ours to change and to remove. All other
  /// words are the user's. Not part of the fingerprint.
  std::vector<std::string> own_parameters;
  Knobs knobs;
  bool hot_remove = true;  ///< CONFIG_MEMORY_HOTREMOVE as far as it shows
  bool service = false;    ///< memonlined runs there. Not part of the fingerprint
  /// Where NVIDIA's driver for coherent GPUs shows (a path): it adds their memory by itself. Empty:
  /// nowhere. Not part of the fingerprint.
  std::string nvidia_driver;
  /// Where the dynamic partitioning of POWER shows (DLPAR, a path): it onlines what it adds. Empty:
  /// nowhere. Not part of the fingerprint.
  std::string dlpar;
  /// The firmware (ACPI) has slots for DIMMs, and the kernel has no driver for them: DIMMs that are
  /// added later are ignored. False: it has one, or that is unknown. Not part of the fingerprint.
  bool ignores_dimms = false;
  bool hash_mmu = false;  ///< ppc64 without the radix MMU. Not part of the fingerprint
  /// Where the kernel's map of all memory ends; 0: unknown. Not part of the fingerprint.
  std::uint64_t address_limit = 0;
  /// The value of auto_online_blocks before the service changed it; empty: it did not. Not part of
  /// the fingerprint.
  std::optional<std::string> auto_online_before;
  bool zone_spans_known = false;
  std::vector<Device> devices;  ///< [0] always exists
  std::vector<Node> nodes;      ///< ascending ids; gaps are usual
  /// All nodes that memory can ever be on (node/possible), first and last of each range; empty:
  /// unknown. Not part of the fingerprint.
  std::vector<std::pair<NodeId, NodeId>> possible_nodes;
  std::vector<BlockRun> blocks;  ///< ascending, disjoint, maximal
  RuledOut ruled_out;            ///< of devices of kind Unknown. Not part of the fingerprint
  /// Standby memory of s390x (6.19+), which has no blocks until it is configured: ascending,
  /// disjoint.
  std::vector<BlockRange> standby;
  /// In the order of their numbers. Part of the fingerprint are the blocks of those that are not
  /// system RAM.
  std::vector<DaxDevice> dax_devices;
  /// Whether the driver kmem is loaded; known only beside dax devices. Not part of the fingerprint.
  std::optional<bool> kmem;
  /// Fastest first; known only beside dax devices. Not part of the fingerprint.
  std::vector<MemoryTier> memory_tiers;
  /// Whether the kernel demotes pages from a tier to the next; empty: unknown. Not part of the
  /// fingerprint.
  std::optional<bool> demotion;
  /// Whether blocks can be configured and deconfigured (/sys/firmware/memory). Not part of the
  /// fingerprint.
  bool configures_standby = false;
  /// Of `standby`, the blocks that will hold their own memory map (`memmap_on_memory` is 1).
  /// Empty optional: unknown.
  std::optional<std::vector<BlockRange>> standby_own_map;
  /// Blocks that nodes link to and that the source does not hold: it is incomplete.
  std::uint64_t missing_blocks = 0;
  /// Hot-added since the service holds auto_online_blocks, and not settled yet: what the kernel did
  /// with them is not what they are to be. Ascending, disjoint. Not part of the fingerprint.
  std::vector<BlockRange> fresh;
  /// The RAM of the firmware's map in whole pages, as the kernel took it at boot; empty: unknown.
  /// Not part of the fingerprint.
  std::vector<PageRange> boot_memory;
  /// Pages that the firmware calls hot-pluggable (ACPI's SRAT), boot memory or still to come;
  /// ascending. Empty optional: unknown. Not part of the fingerprint.
  std::optional<std::vector<PageRange>> hotpluggable_memory;
  /// Pages that held the kernel's image and its initial ramdisk at boot, as far as they show. Not
  /// part of the fingerprint.
  std::vector<PageRange> early_memory;
  /// Others that online memory here, in the order in which they are asked: udev, the kernel's boot
  /// parameters, daxctl. Not part of the fingerprint.
  std::vector<OnliningAgent> agents;
  /// What online blocks hold, of those whose contents were read; ascending. Not part of the
  /// fingerprint.
  std::vector<BlockContents> contents;
  FreePages free_pages;  ///< where contents were read. Not part of the fingerprint
  /// The processes that have pages in them, by id, as far as they were examined. Not part of the
  /// fingerprint, and not in snapshots.
  std::vector<ProcessPages> processes;
  std::vector<Unread> unread;
  std::string fingerprint;  ///< "sha256:..." of canonical_text(host) (model/facts.hpp), put there
                            ///< by the reader
  friend bool operator==(const Host&, const Host&) = default;

  [[nodiscard]] std::uint64_t pages_per_block() const { return block_size / Bytes(page_size); }
  [[nodiscard]] PageRange pages_of(BlockId first, std::uint64_t count) const {
    return {first.value() * pages_per_block(), (first + count).value() * pages_per_block()};
  }
  [[nodiscard]] std::uint64_t address_of(BlockId block) const {
    return block.value() * block_size.value();
  }
  /// The block at a physical address; only where there are blocks.
  [[nodiscard]] BlockId block_at(std::uint64_t address) const {
    return BlockId(Bytes(address) / block_size);
  }
  [[nodiscard]] bool has_hotplug() const { return block_size > Bytes(0) && !blocks.empty(); }
  [[nodiscard]] const Node* find_node(NodeId id) const;
  /// The word `name` or `name=value` on the command line; the value, "" for a bare word.
  [[nodiscard]] std::optional<std::string> command_line_value(std::string_view name) const;
  [[nodiscard]] bool movable_node() const { return command_line_value("movable_node").has_value(); }
  [[nodiscard]] bool is_fresh(BlockId id) const;
  /// The run that holds the block, or nullptr: no such block.
  [[nodiscard]] const BlockRun* find_block(BlockId id) const;
};

/// Appends a run and merges it with its neighbor where they are of one kind. Runs must come in
/// ascending order.
void append_run(std::vector<BlockRun>& runs, BlockRun run);

}  // namespace memonline::model
