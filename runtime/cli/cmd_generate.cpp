// SPDX-License-Identifier: LGPL-2.1-or-later
// memonline generate: files for hosts without the service.
#include <utility>

#include "compiler/diag/render.hpp"
#include "compiler/render/targets.hpp"
#include "runtime/cli/command_options.hpp"
#include "runtime/cli/inputs.hpp"
#include "runtime/cli/output.hpp"

namespace memonline::cli {

namespace {

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

struct Target {
  std::string_view name;
  render::TargetFile file;
  // The programs that read the file ignore other suffixes.
  std::vector<std::string_view> suffixes;
};
const std::vector<Target>& targets() {
  using render::TargetFile;
  static const std::vector<Target> all{{"udev", TargetFile::Udev, {".rules"}},
                                       {"tmpfiles", TargetFile::Tmpfiles, {".conf"}},
                                       {"cmdline", TargetFile::Cmdline, {".conf", ".txt"}},
                                       {"tuned", TargetFile::Tuned, {".conf"}}};
  return all;
}

Ran run_given(const Given& given, ColorChoice color) {
  const auto where = where_of(given);
  if (!where) return fail(where.error());
  for (const Target& target : targets()) {
    if (target.name != given.operand()) continue;
    if (auto wrong = wrong_suffix(given, target.suffixes)) return fail(std::move(*wrong));
    return run({*where, target.file, output_of(given)}, color);
  }
  return ExitStatus::Failure;
}

}  // namespace

Command generate_command() {
  Operand target{.name = "TARGET", .help = "udev, tmpfiles, cmdline or tuned", .required = true};
  for (const Target& one : targets()) target.words.push_back(one.name);
  std::vector<Option> options;
  add_where(options);
  options.push_back(output_option());
  return {"generate", "Generate configuration for hosts without the service", std::move(target),
          with_common(std::move(options)), &run_given};
}

}  // namespace memonline::cli
