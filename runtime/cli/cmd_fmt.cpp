// SPDX-License-Identifier: LGPL-2.1-or-later
// memonline fmt: canonical form, for policy files and for the block in a package.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "compiler/diag/render.hpp"
#include "compiler/syntax/format.hpp"
#include "compiler/text/printable.hpp"
#include "runtime/base/file.hpp"
#include "runtime/cli/command_options.hpp"
#include "runtime/cli/output.hpp"
#include "runtime/policy/package.hpp"

namespace memonline::cli {

namespace {

struct FmtOptions {
  bool check = false;
  bool write = false;
  std::vector<std::string> files;
};

/// The YAML text with the lines of its policy replaced by `formatted`.
std::string with_policy(std::string_view yaml, const policy::Package& package,
                        std::string_view formatted) {
  const auto skip_lines = [](std::string_view text, std::size_t from, std::uint32_t count) {
    for (; count > 0 && from < text.size(); --count)
      from = std::min(text.find('\n', from), text.size() - 1) + 1;
    return from;
  };
  const std::size_t begin = skip_lines(yaml, 0, package.first_line);
  const std::size_t end = skip_lines(yaml, begin, package.lines);
  std::string result(yaml.substr(0, begin));
  for (std::size_t at = 0; at < formatted.size();) {
    const std::size_t line_end = std::min(formatted.find('\n', at), formatted.size());
    if (line_end > at) result.append(package.indent, ' ').append(formatted, at, line_end - at);
    result += '\n';
    at = line_end + 1;
  }
  return result.append(yaml.substr(end));
}

/// Errors are in `sink`.
std::optional<std::string> formatted_text(const std::string& path, const std::string& text,
                                          source::SourceSet& files, diag::Sink& sink) {
  files.emplace_back(path, text);
  if (!policy::is_package_name(path)) return syntax::format(files.front(), sink);
  const auto package = policy::read_package(files, 0, sink);
  if (!package) return std::nullopt;
  files.front() = package->policy;
  const auto formatted = syntax::format(package->policy, sink);
  if (!formatted) return std::nullopt;
  return with_policy(text, *package, *formatted);
}

ExitStatus run(const FmtOptions& options, ColorChoice color) {
  ExitStatus status = ExitStatus::Done;
  std::string out;
  const auto at_least = [&](ExitStatus worse) { status = std::max(status, worse); };
  for (const std::string& path : options.files) {
    const auto text = runtime::read_regular_file(path);
    if (!text) {
      at_least(complain(ExitStatus::Usage, text.error().message()));
      continue;
    }
    const std::string shown = path == "-" ? "<stdin>" : path;
    source::SourceSet files;
    diag::Sink sink;
    const auto formatted = formatted_text(shown, *text, files, sink);
    print_error(diag::to_text(sink.sorted(), files, {color_errors(color)}));
    if (!formatted) {
      at_least(ExitStatus::Usage);
    } else if (options.check) {
      if (*formatted == *text) continue;
      out += printable(shown) + "\n";
      at_least(ExitStatus::Failure);
    } else if (options.write && path != "-") {
      if (*formatted != *text) at_least(print_to(path, *formatted));
    } else {
      out += *formatted;
    }
  }
  // The text of some files would be mistaken for that of all.
  if (!options.check && status != ExitStatus::Done) return status;
  return print(out, status);
}

CommandResult run_given(const Given& given, ColorChoice color) {
  if (given.has("check") && given.has("write"))
    return fail(UsageError{fmt::format("`{}` and `{}` cannot be combined: expected one of them",
                                       given.spelling("check"), given.spelling("write"))});
  return run({given.has("check"), given.has("write"), given.operands()}, color);
}

constexpr std::string_view kExamples = R"(Examples:
  memonline fmt db.mempolicy                  print it in canonical form
  memonline fmt -w *.mempolicy policies/*.yaml
  memonline fmt --check *.mempolicy           for hooks: list the files that would change

In a package, only the policy block is formatted. Comments are preserved.
Exit status: 0; 1 files would change (--check) or could not be written; 2 errors in a file, or
a file that cannot be read.)";

}  // namespace

Command fmt_command() {
  return {.name = "fmt",
          .summary = "Print policies in canonical form",
          .operand = Operand{.name = "FILE",
                             .help = "policy files or packages; - is standard input",
                             .required = true,
                             .repeats = true,
                             .offers = options::Offers::Files},
          .options = with_common(
              {{.names = {"check"},
                .help = "Only list the files that would change, and exit with status 1"},
               {.letter = 'w', .names = {"write"}, .help = "Write the files back"}}),
          .run = &run_given,
          .examples = kExamples};
}

}  // namespace memonline::cli
