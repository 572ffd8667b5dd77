// SPDX-License-Identifier: LGPL-2.1-or-later
// The checked policy: names resolved, units applied, still without a host. Only text that passed
// every check becomes one of these. `when` is still in it; resolve() (compiler/sema/resolve.hpp)
// decides it for a host and leaves a flat list of rules.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "compiler/model/units.hpp"
#include "compiler/source/source.hpp"

namespace memonline::sema {

enum class Target : std::uint8_t { Movable, Normal, Auto, Offline, Keep };
std::string_view target_name(Target target);

/// How much of a group a share asks for.
struct Percent {
  std::uint64_t millionths = 0;  ///< of one percent: 12.5% is 12'500'000; exact, no floating point
  friend bool operator==(const Percent&, const Percent&) = default;
};
struct Blocks {
  std::uint64_t count = 0;
  friend bool operator==(const Blocks&, const Blocks&) = default;
};
using Amount = std::variant<Percent, model::Bytes, Blocks>;
bool is_zero(const Amount& amount);

enum class Place : std::uint8_t { Unplaced, First, Last, Rest };

struct Share {
  Place place = Place::Unplaced;
  std::optional<Amount> amount;  ///< empty: the whole group (or, for Rest, what is left)
  Target target = Target::Keep;
  source::SourceSpan span;  ///< "last 80% movable"
};

/// One condition on a block. Conditions side by side must all hold.
struct NodeList {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> ranges;  ///< inclusive, ascending
};
struct DimmList {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> ranges;  ///< empty: any DIMM
};
struct BlockList {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;  ///< block ids, inclusive, ascending
};
struct AddressRange {
  std::uint64_t first = 0;  ///< bytes; a block is selected if all of it is in [first, last]
  std::uint64_t last = 0;
};
struct DaxDevice {
  std::string name;  ///< "dax0.0"; empty: any
};
struct DriverName {
  std::string name;  ///< as in "System RAM (NAME)"
};
enum class SimpleClass : std::uint8_t { All, Boot, Hotplugged, Node, Cpuless, VirtioMem };
struct Class {
  std::variant<SimpleClass, NodeList, DimmList, BlockList, AddressRange, DaxDevice, DriverName> is;
  source::SourceSpan span;
};

enum class Each : std::uint8_t { None, Node, Device };

struct Selector {
  Each each = Each::None;      ///< Device: one group per DIMM, virtio-mem or dax device, driver
  std::vector<Class> classes;  ///< never empty
  std::vector<Class> except;   ///< empty: no exception; else their intersection is left out
  source::SourceSpan span;
};

struct Rule {
  Selector selector;
  std::vector<Share> shares;  ///< never empty; at most one Rest
  source::SourceSpan span;    ///< selector to last share
  /// Made for present blocks only: it does not apply to hot-added memory.
  bool only_present = false;
};

struct Limit {
  /// Movable may be at most: this many times normal (in thousandths: 3x is 3000), or an amount.
  struct TimesNormal {
    std::uint64_t thousandths = 0;
  };
  std::variant<TimesNormal, Amount> bound;
  bool per_node = false;
  source::SourceSpan span;
};

enum class Rezone : std::uint8_t { Never, Allowed };
enum class Hotplug : std::uint8_t { Best, Kernel, Service };
enum class MemmapOnMemory : std::uint8_t { Leave, On, Off, Force };
enum class BootParameters : std::uint8_t { Suggest, Write, Ignore };
struct Setting {
  std::variant<Rezone, Hotplug, MemmapOnMemory, BootParameters> value;
  source::SourceSpan span;
};

enum class Fact : std::uint8_t {
  Arch,
  Virtualization,
  Kernel,
  Memory,
  Nodes,
  Vendor,
  Product,
  Family
};
enum class Test : std::uint8_t { Is, IsNot, Less, LessEqual, Greater, GreaterEqual };
/// `text` for words (compared exactly, `*` and `?` match as in a shell), kernel versions as
/// written; `number` for memory (bytes) and nodes.
struct FactValue {
  std::string text;
  std::uint64_t number = 0;
  source::SourceSpan span;
};

struct When;
using Statement = std::variant<Rule, Limit, Setting, When>;
struct When {
  Fact fact = Fact::Arch;
  Test test = Test::Is;
  std::vector<FactValue> values;  ///< one or more; `is` holds for any of them
  std::vector<Statement> then;
  std::vector<Statement> otherwise;  ///< `else`; an `else when` is one When in here
  source::SourceSpan span;           ///< from `when` up to before `{`
};

/// The statements of all files, in the order of their names.
struct Policy {
  std::vector<Statement> statements;
};

/// A policy decided for one host: no `when` is left. Rules in order: the first that selects a
/// block governs it. A setting written twice: the last holds.
struct FlatPolicy {
  std::vector<Rule> rules;
  std::vector<Limit> limits;
  Rezone rezone = Rezone::Never;
  Hotplug hotplug = Hotplug::Best;
  MemmapOnMemory memmap_on_memory = MemmapOnMemory::Leave;
  BootParameters boot_parameters = BootParameters::Suggest;
  std::optional<source::SourceSpan> rezone_span, hotplug_span, memmap_on_memory_span,
      boot_parameters_span;
};

}  // namespace memonline::sema
