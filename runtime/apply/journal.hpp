// SPDX-License-Identifier: LGPL-2.1-or-later
// What has to be known to put things back: how blocks and knobs were before a run, written down
// before its first change. How far the run came is not in it: the kernel knows that better.
//
// The schema's number changes when an older program would misread a journal. A member that is added
// has a default, so that newer programs read older journals; older programs ignore members that
// they do not know. A journal with another schema, and one that is damaged, is set aside and
// reported (run_directory.hpp): memory is brought online all the same, and only `undo` is refused.
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
  bool to_confirm = false;  ///< nobody has said yet that it may stay
  std::uint64_t block_size = 0;
  std::vector<KnobBefore> knobs;
  std::vector<BlocksBefore> blocks;
  friend bool operator==(const Journal&, const Journal&) = default;
};

std::string to_json(const Journal& journal);
/// The error says what is wrong with it.
Result<Journal, std::string> journal_of(std::string_view json);

/// What a killed run had found, with what a later run adds: of a block or knob in both, the first
/// knew it untouched.
void merge_earlier(Journal& journal, const Journal& earlier);

}  // namespace memonline::apply
