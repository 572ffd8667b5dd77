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

struct GenerateOptions {
  Where where;
  render::TargetFile target = render::TargetFile::Udev;
  std::string output;
};

ExitStatus run(const GenerateOptions& options, ColorChoice color) {
  Compiled compiled = compile_for(options.where, Service::Without);
  const auto print_diagnostics = [&] {
    print_error(
        diag::to_text(compiled.sink.sorted(), compiled.policies.shown, {color_errors(color)}));
  };
  if (!compiled.plan) {
    print_diagnostics();
    return compiled.status;
  }
  const auto text = render::generate(options.target, *compiled.plan, *compiled.policy,
                                     compiled.policies.files, *compiled.host, compiled.sink);
  print_diagnostics();
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

CommandResult run_given(const Given& given, ColorChoice color) {
  const auto where = where_of(given);
  if (!where) return fail(where.error());
  for (const Target& target : targets()) {
    if (target.name != given.operand()) continue;
    if (auto wrong = wrong_suffix(given, target.suffixes)) return fail(std::move(*wrong));
    return run({*where, target.file, output_of(given)}, color);
  }
  return ExitStatus::Failure;
}

constexpr std::string_view kExamples = R"(Examples:
  memonline generate udev -o /etc/udev/rules.d/40-memory.rules
  memonline generate cmdline -e 'hotplugged: movable'         memhp_default_state=online_movable
  memonline generate tmpfiles -o /etc/tmpfiles.d/memory.conf
  memonline generate tuned -o /etc/tuned/memory/tuned.conf

For hosts without memonlined. If the target cannot express the policy, the error names the rule,
and nothing is written.

Exit status: 0; 1 the target cannot express the policy; 2 invalid usage or policy.)";

}  // namespace

Command generate_command() {
  Operand target{.name = "TARGET", .help = "udev, tmpfiles, cmdline or tuned", .required = true};
  for (const Target& one : targets()) target.words.push_back(one.name);
  std::vector<Option> options;
  add_where(options);
  options.push_back(output_option());
  return {.name = "generate",
          .summary = "Generate configuration for hosts without the service",
          .operand = std::move(target),
          .options = with_common(std::move(options)),
          .run = &run_given,
          .examples = kExamples};
}

}  // namespace memonline::cli
