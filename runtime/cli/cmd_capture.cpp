// SPDX-License-Identifier: LGPL-2.1-or-later
// memonline capture: this host as one file.
#include <utility>

#include <fmt/format.h>

#include "runtime/cli/command_options.hpp"
#include "runtime/cli/inputs.hpp"
#include "runtime/cli/output.hpp"
#include "runtime/host/capture.hpp"
#include "runtime/host/contents.hpp"

namespace memonline::cli {

namespace {

std::string unread_reason(const model::Host& host) {
  for (const model::Unread& note : host.unread)
    if (note.path == std::string("/") + runtime::kPageFlags)
      return fmt::format("{}: {}", note.path, note.reason);
  return "there is no /proc/kpageflags";
}

CommandResult run(const Given& given, ColorChoice color) {
  const auto where = where_of(given);
  if (!where) return fail(where.error());
  if (auto wrong = wrong_suffix(given, {".yaml", ".yml"})) return fail(std::move(*wrong));
  diag::Sink sink;
  auto host = load_host_with_blocks(*where, sink);
  if (!host) return report(sink, {}, Format::Text, color, ExitStatus::Failure);
  if (given.has("contents")) {
    std::vector<model::BlockRange> all;
    for (const model::BlockRun& run : host->blocks) all.push_back(run.range());
    read_contents_of(*where, all, runtime::Processes::Pinning, *host);
    if (host->contents.empty())
      return complain(ExitStatus::Failure,
                      "cannot read the contents of memory: " + unread_reason(*host),
                      "run as root, on a kernel with /proc/kpageflags (CONFIG_PROC_PAGE_MONITOR)");
  }
  return print_to(output_of(given), runtime::write_snapshot(*host));
}

constexpr std::string_view kExamples = R"(Examples:
  memonline capture -o host.yaml
  memonline plan --root host.yaml -e 'hotplugged: movable'      later, elsewhere
  memonline capture --contents -o host.yaml                     for `plan --unplug`, as root

The file holds what planning needs; it contains no network addresses, host names or secrets.
Exit status: 0; 1 failure.)";

}  // namespace

Command capture_command() {
  return {.name = "capture",
          .summary = "Write this host as one file, to plan for it elsewhere",
          .options = with_common({root_option(),
                                  {.names = {"contents"},
                                   .help = "Include the contents of online memory, for `plan "
                                           "--unplug` and `explain` (root only)"},
                                  output_option()}),
          .run = &run,
          .examples = kExamples};
}

}  // namespace memonline::cli
