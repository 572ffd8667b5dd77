// SPDX-License-Identifier: LGPL-2.1-or-later
// memonline undo: back to how memory was before the last apply, as far as the kernel allows.
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "compiler/diag/render.hpp"
#include "runtime/apply/report_json.hpp"
#include "runtime/cli/command_options.hpp"
#include "runtime/cli/inputs.hpp"
#include "runtime/cli/left_offline.hpp"
#include "runtime/cli/output.hpp"
#include "runtime/cli/progress.hpp"
#include "runtime/cli/running.hpp"
#include "runtime/cli/service_client.hpp"
#include "runtime/host/read_host.hpp"

namespace memonline::cli {

namespace {

struct UndoOptions {
  std::string root = "/";
  RunOptions run;
};

using Which = apply::RunDirectory::Which;

class Undo {
 public:
  Undo(const UndoOptions& options, ColorChoice color) : options_(options), color_(color) {}

  ExitStatus run() {
    const auto* stops = count_stop_signals();
    if (auto service = options_.run.direct ? std::nullopt : ServiceClient::find(options_.root))
      return by_service(*service, stops);
    if (lacks_root("undo", options_.root, sink_)) return give_up();
    auto session = begin_session(options_.root, "memonline undo", options_.run.wait, stops, sink_);
    if (!session) return give_up();
    const apply::Limits limits = limits_of(options_.run);
    auto recovered =
        watched(stops, [&](const apply::Watch& watch) { return session->recover(limits, watch); });
    if (!recovered) return no_journal(recovered.error());
    document_.recovered = recovered->lines;
    add_set_aside(*recovered, sink_);
    // The last run was not confirmed: undoing it is all, the one before it stays.
    if (recovered->undone) return undone(rendered(*recovered->undone, "undone"));
    auto last = session->directory().read(Which::Last);
    if (!last) return no_journal(last.error());
    if (!*last) return nothing();
    const auto before = runtime::read_host(options_.root);
    auto report = watched(stops, [&](const apply::Watch& watch) {
      return session->undo(Which::Last, **last, limits, watch);
    });
    if (!report) return no_journal(report.error());
    if (before)
      if (const auto problem = OfflineNote(options_.root, *before).write(true); !problem.empty())
        print_error(fmt::format("memonline: {}\n", problem));
    return undone(rendered(*report, "undone"));
  }

 private:
  ExitStatus by_service(ServiceClient& service, const volatile std::sig_atomic_t* stops) {
    auto outcome = service.undo(options_.run, stops);
    if (!outcome)
      add_refused(outcome.error(), sink_);
    else if (outcome->report)
      return undone(std::move(*outcome->report));
    else
      add_failed(*outcome, sink_);
    return give_up();
  }
  ExitStatus undone(RenderedReport report) {
    document_.result = report.result == apply::Report::Result::Complete
                           ? "undone"
                           : std::string(apply::result_name(report.result));
    document_.status = status_of(report.result);
    document_.undone = std::move(report);
    return finish();
  }
  ExitStatus give_up() {
    document_.result = "failed";
    document_.status = ExitStatus::Failure;
    return finish();
  }
  ExitStatus no_journal(const runtime::FileError& error) {
    add_no_journal(error, Changed::Nothing, sink_);
    return give_up();
  }
  ExitStatus nothing() {
    sink_.add(diag::Code::NothingToUndo, std::nullopt,
              "nothing was applied since this machine was booted, or it was already undone");
    return give_up();
  }
  ExitStatus finish() {
    if (options_.run.format == Format::Json)
      return print(to_json(document_, sink_), document_.status);
    print_error(diag::to_text(sink_.sorted(), {}, {color_errors(color_)}));
    std::string text;
    for (const std::string& line : document_.recovered) text += "recovered: " + line + "\n";
    if (document_.undone) text += document_.undone->text;
    return print(text, document_.status);
  }

  const UndoOptions& options_;
  ColorChoice color_;
  diag::Sink sink_;
  RunDocument document_;
};

ExitStatus run(const UndoOptions& options, ColorChoice color) { return Undo(options, color).run(); }

CommandResult run_given(const Given& given, ColorChoice color) {
  const auto where = where_of(given);
  if (!where) return fail(where.error());
  const auto run_options = run_options_of(given);
  if (!run_options) return fail(run_options.error());
  return run({where->root, *run_options}, color);
}

constexpr std::string_view kExamples = R"(Examples:
  memonline undo                              return to the state before the last apply

Blocks that were offline are offlined again, Movable first, each within its deadline. Blocks that
were in another zone return there, and kernel settings get their previous values. Kernel memory in
use stays online.

Exit status: 0; 1 nothing could be undone; 64 partial success.)";

}  // namespace

Command undo_command() {
  std::vector<Option> options{root_option()};
  add_run(options);
  return {.name = "undo",
          .summary = "Undo the last apply, as far as the kernel allows",
          .options = with_common(std::move(options)),
          .run = &run_given,
          .examples = kExamples};
}

}  // namespace memonline::cli
