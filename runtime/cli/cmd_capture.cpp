// SPDX-License-Identifier: LGPL-2.1-or-later
// memonline capture: this host as one file.
#include <utility>

#include "runtime/cli/command_options.hpp"
#include "runtime/cli/inputs.hpp"
#include "runtime/cli/output.hpp"
#include "runtime/host/capture.hpp"

namespace memonline::cli {

namespace {

CommandResult run(const Given& given, ColorChoice color) {
  const auto where = where_of(given);
  if (!where) return fail(where.error());
  if (auto wrong = wrong_suffix(given, {".yaml", ".yml"})) return fail(std::move(*wrong));
  diag::Sink sink;
  const auto host = load_host_with_blocks(*where, sink);
  if (!host) return report(sink, {}, Format::Text, color, ExitStatus::Failure);
  return print_to(output_of(given), runtime::write_snapshot(*host));
}

constexpr std::string_view kExamples = R"(Examples:
  memonline capture -o host.yaml
  memonline plan --root host.yaml -e 'hotplugged: movable'      later, elsewhere

The file holds what planning needs; it contains no network addresses, host names or secrets.
Exit status: 0; 1 failure.)";

}  // namespace

Command capture_command() {
  return {.name = "capture",
          .summary = "Write this host as one file, to plan for it elsewhere",
          .options = with_common({root_option(), output_option()}),
          .run = &run,
          .examples = kExamples};
}

}  // namespace memonline::cli
