// SPDX-License-Identifier: LGPL-2.1-or-later
// A plan: what would be done to one host, in which order, why, and what becomes of it. A value
// with a schema; renderings are in compiler/render. The executor carries out `steps` and holds
// the real zones against `zone`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "compiler/diag/diagnostic.hpp"
#include "compiler/model/host.hpp"
#include "compiler/model/knob.hpp"
#include "compiler/model/write.hpp"

namespace memonline::plan {

inline constexpr std::string_view kPlanSchema = "memonline.plan/1";
/// Bytes of a rule's text that a plan repeats, the ellipsis included; the whole is at its place.
inline constexpr std::size_t kMaxRuleText = 200;

/// The line of the policy that requires it. An empty path: no rule, the plan itself needs it.
struct RuleRef {
  std::string path;  ///< the file's label
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::string text;  ///< "last 80% movable"; at most kMaxRuleText bytes
  friend bool operator==(const RuleRef&, const RuleRef&) = default;
};

/// How long a knob keeps the value of its step.
enum class KnobScope : std::uint8_t {
  Stay,
  Run,  ///< restored when the run ends for any reason
};

/// Write `value` into a knob of /sys/devices/system/memory or memory_hotplug/parameters. A later
/// step that lets the same knob stay ends what a Run step holds: then its value is the last word.
struct SetKnob {
  model::Knob knob = model::Knob::AutoOnlineBlocks;  ///< one of those that can_be_set
  std::string value;
  std::string before;  ///< what the host says when planned for, also where a Run step comes first
  KnobScope scope = KnobScope::Stay;
  friend bool operator==(const SetKnob&, const SetKnob&) = default;
};
struct OnlineBlocks {
  model::OnlineWord word = model::OnlineWord::Online;
  model::WriteRun blocks;
  std::optional<model::NodeId> node;
  model::Zone zone = model::Zone::Normal;  ///< predicted by the kernel model
  friend bool operator==(const OnlineBlocks&, const OnlineBlocks&) = default;
};
/// How likely a block can be offlined (plan/prospect.hpp).
enum class Chance : std::uint8_t {
  Gone,      ///< offline already: nothing to do
  Likely,    ///< Movable, hot-added
  Maybe,     ///< Movable boot memory, which may contain boot allocations; or an unknown zone
  Unlikely,  ///< a kernel zone: only while it contains no unmovable pages
  Never,     ///< several zones or nodes, a hole, boot memory of arm64, no hot-remove
};
/// "gone", "likely", "maybe", "unlikely", "never"
std::string_view chance_name(Chance chance);
std::optional<Chance> chance_named(std::string_view name);

struct OfflineBlocks {
  model::WriteRun blocks;
  std::optional<model::NodeId> node;
  std::optional<model::Zone> zone = model::Zone::Normal;  ///< where they are now; empty: unknown
  /// Part of an unplug: if any block of these steps cannot go, those that went come back online.
  bool all_or_nothing = false;
  std::optional<Chance> chance = std::nullopt;  ///< of the least likely of these blocks
  /// In use in these blocks, and to be moved first; empty: unknown.
  std::optional<model::Bytes> moves = std::nullopt;
  friend bool operator==(const OfflineBlocks&, const OfflineBlocks&) = default;
};
/// Give memory its blocks, or take them away again: standby memory by writing `config` of each
/// (s390x, 6.19+), a dax device by having the driver kmem take or leave it, with all its blocks.
/// A DIMM can be ejected, that is deconfigured.
struct ConfigureBlocks {
  model::WriteRun blocks;
  std::optional<model::NodeId> node;
  bool configure = true;  ///< false: deconfigure
  /// What is written into `memmap_on_memory` before; empty: it stays as it is.
  std::optional<bool> own_map = std::nullopt;
  std::string device = {};  ///< "dax0.0", "dimm1"; empty: standby memory
  [[nodiscard]] std::string_view verb() const {
    if (device.empty()) return configure ? "configure" : "deconfigure";
    if (configure) return "bind";
    return device.starts_with("dimm") ? "eject" : "unbind";
  }
  friend bool operator==(const ConfigureBlocks&, const ConfigureBlocks&) = default;
};
/// Add one block by its physical address through `probe`.
struct ProbeBlock {
  std::uint64_t address = 0;
  friend bool operator==(const ProbeBlock&, const ProbeBlock&) = default;
};
/// What is done to the memory of the whole machine before blocks of a kernel zone are offlined, so
/// that fewer pages keep them online (kernel rule 11.7).
enum class Reclaim : std::uint8_t {
  PageCache,  ///< drop what can be read from files again; not what has to be written first
  Slab,       ///< shrink the kernel's caches of small objects: directory entries, inodes
  Compact,    ///< move pages together, so that the pages left over need fewer blocks
};
/// "page-cache", "slab", "compact"
std::string_view reclaim_name(Reclaim what);
std::optional<Reclaim> reclaim_named(std::string_view name);
/// "drop the clean page cache", "reclaim slab", "compact memory"
std::string_view reclaim_text(Reclaim what);
struct ReclaimMemory {
  Reclaim what = Reclaim::PageCache;
  friend bool operator==(const ReclaimMemory&, const ReclaimMemory&) = default;
};
/// Set or remove words of the kernel command line; takes effect at the next boot.
struct SetParameters {
  std::vector<std::string> set;
  std::vector<std::string> remove;
  friend bool operator==(const SetParameters&, const SetParameters&) = default;
};
using Action = std::variant<SetKnob, OnlineBlocks, OfflineBlocks, ConfigureBlocks, ProbeBlock,
                            ReclaimMemory, SetParameters>;

struct Step {
  std::uint32_t number = 0;  ///< from 1
  Action action;
  RuleRef rule;
  std::string why;  ///< why this place in the order
  friend bool operator==(const Step&, const Step&) = default;
};

/// What keeps online blocks from the zone that a rule wants for them.
enum class Blocker : std::uint8_t {
  None,           ///< nothing, or something else
  RezoneNever,    ///< `set rezone = allowed` would let them move
  CannotOffline,  ///< they can never be offlined
};

/// Blocks that were considered and left as they are.
struct Skipped {
  model::BlockRange blocks;
  std::optional<model::NodeId> node;
  std::string wanted;  ///< the target a rule had for them: "movable", "keep", ...
  std::string reason;  ///< "online in Normal already; rezone = never"
  RuleRef rule;        ///< empty path: no rule selects them
  /// The fact that the host does not show and without which these blocks cannot be judged:
  /// "driver", "origin", "zone", "state" and so on. Empty: nothing is missing.
  std::string unknown = {};
  Blocker blocker = Blocker::None;  ///< for the verdict; not in the document
  friend bool operator==(const Skipped&, const Skipped&) = default;
};

struct BootNode {
  model::NodeId node;
  std::map<std::string, std::uint64_t> wished;  ///< bytes by zone
  std::map<std::string, std::uint64_t> predicted;
  friend bool operator==(const BootNode&, const BootNode&) = default;
};
struct Boot {
  /// All kernel parameters of memonline that the policy needs, in order, for the boot loader. `set`
  /// and `remove` are the changes from the running command line.
  std::vector<std::string> parameters;
  std::vector<std::string> set;
  std::vector<std::string> remove;
  bool reboot_required = false;
  std::vector<BootNode> nodes;
  friend bool operator==(const Boot&, const Boot&) = default;
};

/// The mechanism that onlines hot-added memory.
enum class Onliner : std::uint8_t {
  Kernel,
  Service,
  Corrected,  ///< the kernel; the service then moves what belongs elsewhere
};
/// "kernel", "service", "corrected"
std::string_view onliner_name(Onliner onliner);
std::optional<Onliner> onliner_named(std::string_view name);

/// The mechanism that onlines hot-added memory, its kernel settings, and the rule that requires it.
struct HotplugPart {
  Onliner by = Onliner::Kernel;
  std::map<model::Knob, std::string> knobs;
  std::string why;
  RuleRef rule;
  friend bool operator==(const HotplugPart&, const HotplugPart&) = default;
};

/// The memory of a node after the plan, in whole blocks. Normal: all kernel zones together,
/// including blocks that span zones. Offline: offline or being offlined. Unknown: blocks in an
/// unknown state, or online in an unknown zone.
struct NodeOutcome {
  std::optional<model::NodeId> node;  ///< empty: blocks of an unknown node
  model::Bytes normal, movable, offline, unknown;
  std::map<std::string, std::uint64_t> zones;  ///< the same bytes by the kernel's zone names
  std::vector<std::string> sentences;          ///< for people: "80% would be 38.4"
  model::Bytes uncertain;  ///< of these, the part that depends on blocks that may fail to offline
  friend bool operator==(const NodeOutcome&, const NodeOutcome&) = default;
};

struct PolicyRef {
  std::string path;
  std::string sha256;
  friend bool operator==(const PolicyRef&, const PolicyRef&) = default;
};

/// A diagnostic of the plan, already placed.
struct PlanDiagnostic {
  std::string code;
  diag::Severity severity = diag::Severity::Error;
  std::string message;
  std::string help;
  std::string path;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  friend bool operator==(const PlanDiagnostic&, const PlanDiagnostic&) = default;
};

struct HostRef {
  std::string kernel, era, arch, fingerprint;
  std::uint64_t block_size = 0;
  std::vector<std::string> facts;  ///< the lines that the fingerprint is the digest of
  friend bool operator==(const HostRef&, const HostRef&) = default;
};

/// A competing onlining agent of this host, and how the plan treats it.
struct CompetingAgent {
  enum class Kind : std::uint8_t {
    UdevRule,
    UdevProgram,
    KernelSetting,
    KernelParameter,
    KernelDefault,
    Daxctl,
    DaxState,          ///< the `state` of a dax device (7.3+), which was written
    IgnoredParameter,  ///< a memhp_default_state= that this kernel does not know: it has no effect
  };
  Kind kind = Kind::UdevRule;
  std::string path;
  std::uint32_t line = 0;    ///< from 1; 0: the place is not known
  std::uint32_t column = 0;  ///< in bytes
  std::string text;          ///< the words there
  std::string source;        ///< the line that they are on
  std::string does;          ///< as a message
  std::string remedy;
  bool certain = true;   ///< false: it may online memory, only a program knows
  bool settled = false;  ///< the plan itself ends it
  friend bool operator==(const CompetingAgent&, const CompetingAgent&) = default;
};

/// A difference from the policy after all steps, or memory that cannot be judged: why, and a
/// remedy.
struct Remaining {
  enum class Kind : std::uint8_t {
    Memory,   ///< blocks that are not as a rule wants them
    Limit,    ///< more Movable memory than a limit allows
    Boot,     ///< kernel parameters that wait for a reboot
    Hotplug,  ///< hot-added memory will not be onlined as the policy says
    Unknown,  ///< cannot be compared with the policy
  };
  Kind kind = Kind::Memory;
  std::vector<model::WriteRun> blocks;  ///< ascending; empty where it is not about blocks
  model::Bytes bytes;                   ///< of these blocks
  std::string wanted;                   ///< the target of the rule
  std::string why;
  std::string needs;  ///< rezone reboot root later service, or empty: neither of them
  std::string help;
  RuleRef rule;
  friend bool operator==(const Remaining&, const Remaining&) = default;
};

enum class Verdict : std::uint8_t {
  NothingJudged,  ///< no block could be compared with the policy
  Drift,          ///< there are steps, or memory that no step corrects
  RebootPending,  ///< only kernel parameters wait for a reboot
  PartlyJudged,   ///< all memory that could be judged is as the policy says
  AsDesired,      ///< everything is as the policy says
};

/// The verdict of `status`, `plan` and `apply` on a host and its policy (plan/verdict.hpp).
struct Judgement {
  enum class Pending : std::uint8_t {
    Nothing,
    Changes,  ///< steps, or drift that a reboot does not settle
    Reboot,   ///< a reboot alone
  };
  Verdict verdict = Verdict::NothingJudged;
  Pending pending = Pending::Nothing;
  std::vector<Remaining> remaining;
  friend bool operator==(const Judgement&, const Judgement&) = default;
};

struct Plan {
  HostRef host;
  std::vector<PolicyRef> policy;
  std::vector<Step> steps;
  Boot boot;
  HotplugPart hotplug;
  std::vector<NodeOutcome> outcome;
  std::vector<Skipped> skipped;
  std::vector<CompetingAgent> agents;
  Judgement judgement;
  /// Of an unplug: what remains to be done with the memory once it is offline, and by whom.
  std::vector<std::string> afterwards;
  std::vector<PlanDiagnostic> diagnostics;
  friend bool operator==(const Plan&, const Plan&) = default;
};

}  // namespace memonline::plan
