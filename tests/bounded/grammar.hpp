// SPDX-License-Identifier: LGPL-2.1-or-later
// Policies as products of pieces of the grammar: the pieces, their text, and what they mean. The
// meaning is held here a second time, so that the oracle needs nothing of the compiler.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace memonline::bounded {

/// A block before the plan, as the oracle knows it.
struct Block {
  std::uint64_t id = 0;
  std::uint32_t node = 0;
  std::uint32_t device = 0;  ///< 0: boot memory; each hot-added range has a number of its own
  char before = '.';         ///< 'N' a kernel zone, 'M' Movable, '.' offline
  bool fixed = false;        ///< can never be offlined
  [[nodiscard]] bool boot() const { return device == 0; }
};

enum class Place : std::uint8_t { Unplaced, First, Last, Rest };
enum class Target : std::uint8_t { Movable, Normal, Auto, Offline, Keep };
bool goes_online(Target target);

/// Percentages in millionths of one percent, sizes in MiB.
struct Amount {
  enum class Kind : std::uint8_t { None, Percent, MiB, Blocks };
  Kind kind = Kind::None;
  std::uint64_t number = 0;
  std::string_view text = "";
};

struct Share {
  Place place = Place::Unplaced;
  Amount amount;
  Target target = Target::Keep;
  [[nodiscard]] std::string text() const;
};

struct Selector {
  enum class Each : std::uint8_t { None, Node, Device };
  std::string_view text;
  Each each = Each::None;
  bool (*selects)(const Block&) = nullptr;
};

struct Rule {
  const Selector* selector = nullptr;
  std::vector<Share> shares;
};

struct Limit {
  std::string_view text;
  bool times_normal = false;
  std::uint64_t thousandths = 0;  ///< of normal memory, if times_normal
  Amount amount;                  ///< else
  bool per_node = false;
};

struct Policy {
  std::vector<Rule> rules;
  const Limit* limit = nullptr;
  bool rezone = false;
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool has(Target target) const;  ///< a share of any rule
  /// What the language calls an error without any host: percentages beyond 100, `rest` twice.
  [[nodiscard]] bool is_wrong() const;
};

extern const std::vector<Selector> kSelectors;
extern const std::vector<Limit> kLimits;
const Selector* selector_named(std::string_view text);
const Limit* limit_named(std::string_view text);

/// Each target with each place and amount that the grammar allows: `rest` takes no amount.
std::vector<Share> shares_with(const std::vector<Amount>& amounts);
extern const std::vector<Amount> kAllAmounts;
extern const std::vector<Amount> kFewAmounts;

/// All sequences of 1 to `most` shares, the short ones first.
std::vector<std::vector<Share>> sequences(const std::vector<Share>& shares, unsigned most);

}  // namespace memonline::bounded
