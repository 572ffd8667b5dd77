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

#include "compiler/language/conditions.hpp"
#include "compiler/language/selectors.hpp"
#include "compiler/language/targets.hpp"
#include "compiler/model/units.hpp"
#include "compiler/sema/settings.hpp"
#include "compiler/source/source.hpp"

namespace memonline::sema {

using language::ClassWord;
using language::Each;
using language::Fact;
using language::Place;
using language::Target;
using language::Test;

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

struct Share {
  Place place = Place::Unplaced;
  std::optional<Amount> amount;  ///< empty: the whole group (or, for Rest, what is left)
  Target target = Target::Keep;
  source::SourceSpan span;  ///< "last 80% movable"
};

/// One condition on a block. Conditions side by side must all hold.
struct NodeList {
  static constexpr ClassWord kWord = ClassWord::Node;
  std::vector<std::pair<model::NodeId, model::NodeId>> ranges;  ///< inclusive, ascending
};
struct DimmList {
  static constexpr ClassWord kWord = ClassWord::Dimm;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> ranges;  ///< empty: any DIMM
};
struct BlockList {
  static constexpr ClassWord kWord = ClassWord::Block;
  std::vector<std::pair<model::BlockId, model::BlockId>> ranges;  ///< inclusive, ascending
};
struct Addresses {
  static constexpr ClassWord kWord = ClassWord::Address;
  std::uint64_t first = 0;  ///< bytes; a block is selected if all of it is in [first, last]
  std::uint64_t last = 0;
};
struct DaxDevice {
  static constexpr ClassWord kWord = ClassWord::Dax;
  std::string name;  ///< "dax0.0"; empty: any
};
struct DriverName {
  static constexpr ClassWord kWord = ClassWord::Driver;
  std::string name;  ///< as in "System RAM (NAME)"
};
struct Class {
  /// A word alone that takes nothing, or `node` without numbers; else what follows the word.
  std::variant<ClassWord, NodeList, DimmList, BlockList, Addresses, DaxDevice, DriverName> is;
  source::SourceSpan span;
};
ClassWord word_of(const Class& one);
/// Whether it is this word and nothing follows.
bool is_word(const Class& one, ClassWord word);

struct Selector {
  Each each = Each::None;
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
  Settings settings;
};

}  // namespace memonline::sema
