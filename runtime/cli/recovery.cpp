// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/cli/recovery.hpp"

#include <cerrno>
#include <optional>

#include <fmt/format.h>

#include "compiler/model/knob.hpp"
#include "compiler/text/printable.hpp"
#include "runtime/apply/run_directory.hpp"
#include "runtime/host/text.hpp"

namespace memonline::cli {

namespace {

using apply::Journal;
using Lines = std::vector<std::string>;
using Which = apply::RunDirectory::Which;

std::string before_text(const apply::BlocksBefore& blocks) {
  const std::string name = model::range_name(blocks.first, blocks.last);
  if (!blocks.online) return fmt::format("{} would be offline again", name);
  return fmt::format("{} would be online again{}", name,
                     blocks.zone ? fmt::format(" in {}", model::zone_name(*blocks.zone)) : "");
}

/// Not through Sysfs, which is for writing and refuses a copy of a host.
std::optional<std::string> value_of(model::Knob knob, const std::string& root) {
  const auto text = runtime::read_file((root == "/" ? "" : root) + model::knob_path(knob));
  return text ? std::optional(std::string(runtime::trimmed(*text))) : std::nullopt;
}

/// Whether the run is to be undone as a whole, or only what it set for itself.
void add_settings(const Journal& journal, bool all, const std::string& root, Lines& lines) {
  for (const apply::KnobBefore& knob : journal.knobs) {
    const std::string& set = knob.for_the_run();
    if (set.empty() && !all) continue;
    const auto value = value_of(knob.knob, root);
    if (!value) continue;
    const std::string& now = *value;
    if (now == knob.before || (!all && knob.stays && now == knob.during)) continue;
    if (now == set || (all && now == knob.during))
      lines.push_back(
          fmt::format("{} would be restored to {}", model::knob_name(knob.knob), knob.before));
    else
      lines.push_back(fmt::format("{} is {}, set by another process: it would be left unchanged",
                                  model::knob_name(knob.knob), printable(now)));
  }
}

}  // namespace

Result<Lines, runtime::FileError> would_recover(const std::string& root) {
  const auto directory = apply::RunDirectory::look(root);
  if (const auto held = directory.held())
    return Lines{fmt::format("another run is changing memory: {}", printable(held->owner))};
  Lines lines;
  for (const Which which : {Which::Running, Which::Unconfirmed}) {
    const auto journal = directory.read(which);
    if (!journal && journal.error().number == EACCES) return fail(journal.error());
    if (!journal) {
      lines.push_back(fmt::format("{}: it would be renamed to `{}.unreadable`",
                                  printable(journal.error().message()),
                                  which == Which::Running ? "journal" : "unconfirmed"));
      continue;
    }
    if (!*journal || (which == Which::Unconfirmed && !(*journal)->to_confirm)) continue;
    lines.push_back(fmt::format("an earlier run (`{}`) was cut short{}",
                                printable((*journal)->command),
                                (*journal)->to_confirm ? " before it was confirmed" : ""));
    const std::size_t known = lines.size();
    if ((*journal)->to_confirm)
      for (const apply::BlocksBefore& blocks : (*journal)->blocks)
        lines.push_back(before_text(blocks));
    add_settings(**journal, (*journal)->to_confirm, root, lines);
    if (lines.size() == known) lines.emplace_back("no kernel setting would be changed");
  }
  if (lines.empty()) lines.emplace_back("nothing to recover: no run was cut short");
  return lines;
}

}  // namespace memonline::cli
