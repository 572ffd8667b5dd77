// SPDX-License-Identifier: LGPL-2.1-or-later
// memonline generate: files for hosts without the service.
#include "compiler/diag/render.hpp"
#include "compiler/render/targets.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cli/inputs.hpp"
#include "runtime/cli/output.hpp"

namespace memonline::cli {

ExitStatus run(const GenerateOptions& options, ColorChoice color) {
  Compiled compiled = compile_for(options.where, Service::Without);
  const auto tell = [&] {
    print_error(
        diag::to_text(compiled.sink.sorted(), compiled.policies.shown, {colour_errors(color)}));
  };
  if (!compiled.plan) {
    tell();
    return compiled.status;
  }
  const auto text = render::generate(options.target, *compiled.plan, *compiled.policy,
                                     compiled.policies.files, *compiled.host, compiled.sink);
  tell();
  return text ? print_to(options.output, *text) : ExitStatus::Failure;
}

}  // namespace memonline::cli
