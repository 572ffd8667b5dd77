// SPDX-License-Identifier: LGPL-2.1-or-later
// memonline confirm: keeps the changes of an `apply --confirm` that still waits.
#include <fmt/format.h>

#include "compiler/diag/render.hpp"
#include "runtime/apply/run_directory.hpp"
#include "runtime/cli/command_options.hpp"
#include "runtime/cli/output.hpp"
#include "runtime/cli/running.hpp"
#include "runtime/cli/service_client.hpp"

namespace memonline::cli {

namespace {

constexpr std::string_view kConfirmed = "confirmed: the changes are kept\n";

CommandResult run(const Given& given, ColorChoice color) {
  const auto where = where_of(given);
  if (!where) return fail(where.error());
  const std::string& root = where->root;
  if (auto service = given.has("direct") ? std::nullopt : ServiceClient::find(root)) {
    const auto failure = service->confirm();
    if (!failure) return print(kConfirmed);
    // A run without the service may be waiting.
    if (failure->name != "org.memonline1.Error.NothingToDo")
      return complain(ExitStatus::Failure, "memonlined refused: " + failure->message);
  }
  if (diag::Sink sink; lacks_root("confirm", root, sink)) {
    print_error(diag::to_text(sink.sorted(), {}, {color_errors(color)}));
    return ExitStatus::Failure;
  }
  using Which = apply::RunDirectory::Which;
  auto directory = apply::RunDirectory::open(root);
  if (!directory) return complain(ExitStatus::Failure, directory.error().message());
  auto journal = directory->read(Which::Running);
  // A waiting service has set it aside.
  if (journal && (!*journal || !(*journal)->to_confirm))
    journal = directory->read(Which::Unconfirmed);
  if (!journal) return complain(ExitStatus::Failure, journal.error().message());
  if (!*journal || !(*journal)->to_confirm)
    return complain(ExitStatus::Failure,
                    "no `memonline apply --confirm` is waiting for confirmation");
  const auto confirmed = directory->confirm((*journal)->run);
  if (!confirmed) return complain(ExitStatus::Failure, confirmed.error().message());
  return print(kConfirmed);
}

constexpr std::string_view kExamples = R"(Examples:
  memonline apply --confirm 120s              on one terminal, or in a script
  memonline confirm                           on another, once the machine works as expected

Exit status: 0; 1 no changes await confirmation.)";

}  // namespace

Command confirm_command() {
  return {.name = "confirm",
          .summary = "Keep the changes made by `apply --confirm`",
          .options = with_common({root_option(), direct_option()}),
          .run = &run,
          .examples = kExamples};
}

}  // namespace memonline::cli
