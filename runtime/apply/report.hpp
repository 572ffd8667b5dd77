// SPDX-License-Identifier: LGPL-2.1-or-later
// The result of a run: the progress and the program as a value for people and programs. As JSON its
// schema is memonline.report/1.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/model/contents.hpp"
#include "compiler/model/units.hpp"
#include "runtime/apply/helper.hpp"
#include "runtime/apply/program.hpp"
#include "runtime/apply/shared_progress.hpp"

namespace memonline::apply {

/// A page that kept a block online (stuck_pages.hpp).
struct StuckPage {
  std::optional<model::Pfn> page;     ///< empty: not for everyone who reads the report
  std::string why;                    ///< as the kernel logged it; empty: it did not
  std::optional<model::PageUse> use;  ///< when the run had ended; empty: unknown, or freed
  friend bool operator==(const StuckPage&, const StuckPage&) = default;
};
/// "; blocking page: pfn 0x3a401 (slab; the kernel logged `unmovable page`)".
std::string stuck_page_text(const StuckPage& stuck);

/// Neighboring blocks of one step with the same result.
struct Finding {
  model::WriteRun blocks;
  BlockResult result;
  std::string text;  ///< "EBUSY after 6 tries: a page in it cannot be migrated"
  std::optional<StuckPage> page = std::nullopt;
};

struct StepReport {
  std::uint32_t number = 0;
  std::string what;  ///< "online_movable memory79..42", "auto_online_blocks=offline"
  std::string rule;  ///< "last 80% movable"
  Task::Kind kind = Task::Kind::None;
  std::uint64_t wanted = 0, done = 0, already = 0;
  bool skipped = false;  ///< a step it depends on failed
  double seconds = 0;
  /// Of a step that reclaims: how much more memory was free after it than before, in bytes; of one
  /// that compacts, free in areas of at least 2^9 pages. Other processes also affect this.
  std::optional<std::int64_t> freed = std::nullopt;
  std::vector<Finding> findings;  ///< blocks that are not simply done
  [[nodiscard]] bool complete() const { return done + already == wanted; }
};

struct Report {
  enum class Result : std::uint8_t { Complete, Partly, Failed };
  std::vector<StepReport> steps;
  std::uint64_t block_size = 0;
  std::uint64_t blocks = 0, blocks_done = 0;  ///< of all steps; done: Done or Already
  double seconds = 0;
  std::optional<Ended> ended;  ///< empty: nothing had to be run
  StopReason stop_reason = StopReason::No;
  std::optional<std::string> stopped_at;  ///< where the run ended early

  [[nodiscard]] Result result() const;
};

Report report_of(const Program& program, const SharedProgress& shared, Ended ended, double seconds);

/// For people: a line for the whole, which `verb` names, and one for each finding; ends with a
/// newline.
std::string to_text(const Report& report, std::string_view verb = "applied");

/// "online_movable memory79..42", "auto_online_blocks=offline".
std::string task_text(const Task& task);
/// "EBUSY", as errno.h writes it, or its number.
std::string errno_text(int error);
/// Why the kernel answers that, most likely (kernel rules 2.5 to 2.7, 6.1 to 6.4).
std::string likely_reason(Task::Kind kind, int error);

}  // namespace memonline::apply
