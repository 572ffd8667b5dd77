// SPDX-License-Identifier: LGPL-2.1-or-later
// Shared by the commands that change this machine: the rights that they need, the signals that stop
// them, a session with its failures as diagnostics, limits from options, a report as text or JSON.
#pragma once

#include <csignal>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/diag/diagnostic.hpp"
#include "compiler/plan/plan.hpp"
#include "runtime/apply/session.hpp"
#include "runtime/cli/command_options.hpp"

namespace memonline::cli {

/// True if `root` is this machine and the caller may not write to it; then ML0760 is in `sink`.
/// `command` is without the program's name: "boot apply". The rights to a tree below another
/// directory are those of its files.
bool lacks_root(std::string_view command, const std::string& root, diag::Sink& sink);

/// From now on SIGINT and SIGTERM are counted; a third one ends the program at once, as by default
/// (the journal is then left for the next run). SIGHUP, a lost terminal, is ignored: `--confirm`
/// exists for that case.
const volatile std::sig_atomic_t* count_stop_signals();

/// Opens what is needed to change memory below `root` and takes the lock. Errors are in `sink`.
std::optional<apply::Session> begin_session(const std::string& root, const std::string& command,
                                            std::chrono::milliseconds patience, apply::Stops* stops,
                                            diag::Sink& sink);

apply::Limits limits_of(const RunOptions& options);

/// Whether memory was changed before something failed.
enum class Changed : std::uint8_t { Nothing, Memory };

/// Reading or writing files in /run/memonline failed, or a helper could not be started.
void add_no_journal(const runtime::FileError& error, Changed changed, diag::Sink& sink);

/// Warns of each journal of an earlier run that could not be read, with its new name.
void add_set_aside(const apply::Recovered& recovered, diag::Sink& sink);

/// A report as shown: made by this process, or by the service.
struct RenderedReport {
  apply::Report::Result result = apply::Report::Result::Failed;
  std::string json;  ///< as apply::to_json() writes it
  std::string text;  ///< for people
};
RenderedReport rendered(const apply::Report& report, std::string_view verb = "applied");

/// Adds the report of one more round of a run.
void add_up(std::optional<apply::Report>& sum, apply::Report&& report);

/// The result of a run, as documents show it.
struct RunDocument {
  /// complete partly failed nothing-to-do fulfilled recovered undone unconfirmed dry-run
  std::string result;
  ExitStatus status = ExitStatus::Done;
  std::string fingerprint;  ///< of the host of the plan
  std::optional<RenderedReport> report;
  std::optional<RenderedReport> undone;
  std::vector<std::string> recovered;
  struct Boot {
    std::vector<std::string> parameters;  ///< those that the plan needs
    bool written = false;                 ///< the boot loader has them; else see `diagnostics`
    bool changed = false;                 ///< it did not have them before: a reboot is needed
  };
  std::optional<Boot> boot;  ///< with `set boot-parameters = write`
  /// Of the plan, at the end of the run; empty: there was no plan.
  std::optional<plan::Judgement> judgement;
  std::vector<plan::CompetingAgent> agents;
};

/// Schema memonline.report/1.
std::string to_json(const RunDocument& document, const diag::Sink& sink);

ExitStatus status_of(apply::Report::Result result);

}  // namespace memonline::cli
