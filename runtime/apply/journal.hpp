// SPDX-License-Identifier: LGPL-2.1-or-later
// The recovery journal: the state of blocks and settings before a run, saved before its first
// change. It does not record the progress of the run: the kernel knows that better.
//
// The schema's number changes when an older program would misread a journal. A member that is added
// has a default, so that newer programs read older journals; older programs ignore members that
// they do not know. A journal with another schema, and one that is damaged, is set aside and
// reported (run_directory.hpp): memory is onlined all the same, and only `undo` is refused.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/base/result.hpp"
#include "runtime/apply/program.hpp"

namespace memonline::apply {

inline constexpr std::string_view kJournalSchema = "memonline.journal/1";

struct Journal {
  std::string run;   ///< names this run: pid and a random number
  std::string boot;  ///< /proc/sys/kernel/random/boot_id
  std::string command;
  std::string plan;         ///< fingerprint of the host that was planned for
  bool to_confirm = false;  ///< not confirmed yet
  std::uint64_t block_size = 0;
  std::vector<KnobBefore> knobs;
  std::vector<BlocksBefore> blocks;
  friend bool operator==(const Journal&, const Journal&) = default;
};

std::string to_json(const Journal& journal);
/// The error describes the problem.
Result<Journal, std::string> journal_of(std::string_view json);

/// Combines the journals of a killed run and a later one: for a block or setting in both, the first
/// has the original state.
void merge_earlier(Journal& journal, const Journal& earlier);

}  // namespace memonline::apply
