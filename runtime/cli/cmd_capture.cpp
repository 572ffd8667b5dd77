// SPDX-License-Identifier: LGPL-2.1-or-later
// memonline capture: this host as one file.
#include "runtime/cli/commands.hpp"
#include "runtime/cli/inputs.hpp"
#include "runtime/cli/output.hpp"
#include "runtime/host/capture.hpp"

namespace memonline::cli {

ExitStatus run(const CaptureOptions& options, ColorChoice color) {
  diag::Sink sink;
  const auto host = load_host(options.where, sink);
  if (!host) return report(sink, {}, Format::Text, color, ExitStatus::Failure);
  return print_to(options.output, runtime::write_snapshot(*host));
}

}  // namespace memonline::cli
