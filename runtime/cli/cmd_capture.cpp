// SPDX-License-Identifier: LGPL-2.1-or-later
// memonline capture: this host as one file.
#include <utility>

#include "runtime/cli/command_options.hpp"
#include "runtime/cli/inputs.hpp"
#include "runtime/cli/output.hpp"
#include "runtime/host/capture.hpp"

namespace memonline::cli {

namespace {

ExitStatus run(const CaptureOptions& options, ColorChoice color) {
  diag::Sink sink;
  const auto host = load_host_with_blocks(options.where, sink);
  if (!host) return report(sink, {}, Format::Text, color, ExitStatus::Failure);
  return print_to(options.output, runtime::write_snapshot(*host));
}

Ran run_given(const Given& given, ColorChoice color) {
  const auto where = where_of(given);
  if (!where) return fail(where.error());
  if (auto wrong = wrong_suffix(given, {".yaml", ".yml"})) return fail(std::move(*wrong));
  return run({*where, output_of(given)}, color);
}

}  // namespace

Command capture_command() {
  return {"capture", "Write this host as one file, to plan for it elsewhere", std::nullopt,
          with_common({root_option(), output_option()}), &run_given};
}

}  // namespace memonline::cli
