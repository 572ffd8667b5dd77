// SPDX-License-Identifier: LGPL-2.1-or-later
// The parts of rules that the allocation cannot satisfy. Every group of a rule (`each dimm`) may
// have such a finding; they are added up and reported once per share, when the rest of the plan is
// known, because the remedy depends on it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/diag/diagnostic.hpp"
#include "compiler/model/host.hpp"
#include "compiler/plan/boot_part.hpp"
#include "compiler/sema/policy.hpp"

namespace memonline::plan {

/// Online blocks that a share lacks, by what could place them.
struct Misplaced {
  std::uint64_t boot = 0;    ///< boot memory
  std::uint64_t dimms = 0;   ///< hot-added DIMMs: those present at boot come online with it
  std::uint64_t others = 0;  ///< memory that a driver adds after boot
  std::uint64_t fixed = 0;   ///< of all these, blocks that can never be offlined
  [[nodiscard]] std::uint64_t all() const { return boot + dimms + others; }
};

struct Finding {
  enum class Kind : std::uint8_t {
    ExceedsGroup,     ///< asks for more blocks than are left of the group
    RoundsToNothing,  ///< is smaller than one block
    NotReached,       ///< lacks blocks that are online in another zone, or should be offline
    Unusable,         ///< lacks blocks whose state cannot be used now
    OutOfPosition,    ///< has its blocks, but not at its end of the group
  };
  Kind kind = Kind::NotReached;
  const sema::Share* share = nullptr;
  std::string group;           ///< "dimm3"; empty where the rule makes one group
  std::uint64_t blocks = 0;    ///< that the finding is about
  std::uint64_t of = 0;        ///< that the share asks for
  std::uint64_t of_group = 0;  ///< that the group has
  Misplaced misplaced = {};    ///< NotReached
};

/// One diagnostic per share and kind, in the order of the findings.
void report_findings(const std::vector<Finding>& findings, const BootPart& boot,
                     const sema::FlatPolicy& policy, const model::Host& host, diag::Sink& sink);

}  // namespace memonline::plan
