// SPDX-License-Identifier: LGPL-2.1-or-later
// memonline cat-policy: the active policies as one text, or the files of the search path.
#include <fmt/format.h>
#include <sys/stat.h>

#include "compiler/text/printable.hpp"
#include "runtime/cli/command_options.hpp"
#include "runtime/cli/output.hpp"
#include "runtime/cli/table.hpp"
#include "runtime/policy/store.hpp"

namespace memonline::cli {

namespace {

struct CatPolicyOptions {
  Where where;
  bool list = false;
};

std::string listed(const policy::Store& store, bool colored) {
  std::vector<std::vector<Cell>> rows;
  for (const policy::PolicyFile& file : store.files) {
    const bool used = file.state == policy::FileState::Used;
    rows.push_back(
        {file.path,
         {std::string(policy::file_state_name(file.state)), used ? Tint::Movable : Tint::Faint},
         file.by});
  }
  return table({{"FILE"}, {"STATE"}, {"BY"}}, rows, colored);
}

std::string merged(const policy::Store& store) {
  std::string text;
  for (const policy::PolicyFile* file : store.used()) {
    text += fmt::format("{}# {}\n{}", text.empty() ? "" : "\n", printable(file->path), file->text);
    if (text.back() != '\n') text += '\n';
  }
  return text;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

ExitStatus run(const CatPolicyOptions& options, ColorChoice color) {
  struct stat status {};
  if (::stat(options.where.root.c_str(), &status) != 0 || !S_ISDIR(status.st_mode))
    return complain(ExitStatus::Failure, fmt::format("`{}` is not a directory", options.where.root),
                    "policies are read from a directory; hosts in files contain none");
  const auto store = policy::read_store(options.where.root);
  if (!store) return complain(ExitStatus::Failure, store.error().message());
  ExitStatus ended = ExitStatus::Done;
  for (const runtime::FileError& error : store->unreadable)
    ended = complain(ExitStatus::Usage, error.message());
  const std::string text = options.list ? listed(*store, color_output(color)) : merged(*store);
  if (text.empty() && ended == ExitStatus::Done)
    return complain(ExitStatus::Usage, "no policy found", "searched " + joined(store->directories));
  return print(text, ended);
}

CommandResult run_given(const Given& given, ColorChoice color) {
  const auto where = where_of(given);
  if (!where) return fail(where.error());
  return run({*where, given.has("list")}, color);
}

constexpr std::string_view kExamples = R"(Examples:
  memonline cat-policy                        the active policies, in order
  memonline cat-policy --list                 all files: used, masked or replaced
  memonline cat-policy --root /mnt

Exit status: 0; 1 failure; 2 no policy is active, or a file cannot be read.)";

}  // namespace

Command cat_policy_command() {
  return {.name = "cat-policy",
          .summary = "Show the active policies as one text with file headers",
          .options = with_common(
              {root_option(),
               {.names = {"list"}, .help = "List all policy files: used, masked, or replaced"}}),
          .run = &run_given,
          .examples = kExamples};
}

}  // namespace memonline::cli
