// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/cli/running.hpp"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/base/overloaded.hpp"
#include "compiler/plan/verdict.hpp"
#include "compiler/render/judgement_members.hpp"
#include "compiler/text/json_writer.hpp"
#include "runtime/apply/report_json.hpp"

namespace memonline::cli {

namespace {

using apply::Report;
using text::JsonWriter;

bool is_this_machine(const std::string& root) {
  struct stat there {};
  struct stat live {};
  return ::stat(root.c_str(), &there) == 0 && ::stat("/", &live) == 0 &&
         there.st_dev == live.st_dev && there.st_ino == live.st_ino;
}

/// Root, or a service with the capability to write root's files.
bool may_write() {
  return ::geteuid() == 0 || ::faccessat(AT_FDCWD, "/run", W_OK, AT_EACCESS) == 0;
}

volatile std::sig_atomic_t stop_requests = 0;

void count_stop(int signal) {
  stop_requests = stop_requests + 1;
  if (stop_requests < 3) return;
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void add_cannot_change(const runtime::FileError& error, diag::Sink& sink) {
  auto& d = sink.add(diag::Code::CannotChange, std::nullopt, error.message());
  if (error.number == EACCES || error.number == EPERM)
    d.help = "only root can change memory: try sudo";
  else if (error.number == EROFS)
    d.help = "in a container, run it on the host instead";
  else
    d.help = "`memonline apply --dry-run` shows what would be done, on any host";
}

}  // namespace

bool lacks_root(std::string_view command, const std::string& root, diag::Sink& sink) {
  if (!is_this_machine(root) || may_write()) return false;
  sink.add(diag::Code::CannotChange, std::nullopt,
           fmt::format("`memonline {}` changes this machine and needs root", command))
      .help = fmt::format("run it as root, for example with `sudo memonline {}`", command);
  return true;
}

const volatile std::sig_atomic_t* count_stop_signals() {
  struct sigaction action {};
  action.sa_handler = count_stop;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGHUP, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
  return &stop_requests;
}

std::optional<apply::Session> begin_session(const std::string& root, const std::string& command,
                                            std::chrono::milliseconds patience, apply::Stops* stops,
                                            diag::Sink& sink) {
  auto session = apply::Session::begin(root, command, patience, apply::Writer::Helper, stops);
  if (session) return std::move(*session);
  std::visit(overloaded{[&](const runtime::FileError& error) { add_cannot_change(error, sink); },
                        [&](const apply::Held& held) {
                          auto& d = sink.add(
                              diag::Code::AnotherRun, std::nullopt,
                              fmt::format("another run is changing memory: {}", held.owner));
                          d.help = "use `--wait` to wait for it to finish";
                        }},
             session.error());
  return std::nullopt;
}

apply::Limits limits_of(const RunOptions& options) {
  apply::Limits limits;
  limits.offline_deadline = options.deadline;
  return limits;
}

void add_no_journal(const runtime::FileError& error, Changed changed, diag::Sink& sink) {
  if (error.path.empty()) {  // Session::undo()
    sink.add(diag::Code::NoRoomToOffline, std::nullopt, error.message());
    return;
  }
  auto& d = sink.add(diag::Code::NoJournal, std::nullopt, error.message());
  if (error.number == 0) {  // RunDirectory::read(): its contents are invalid
    d.help = "to offline memory, make a plan: `memonline plan --unplug SIZE -o plan.json`";
    return;
  }
  if (error.number == EACCES) {  // only root may read journals
    d.help = "run it as root";
    return;
  }
  d.help = changed == Changed::Nothing
               ? "nothing was changed; free space in /run, then try again"
               : "memory was changed; free space in /run, then run `memonline apply --recover`";
}

void add_set_aside(const apply::Recovered& recovered, diag::Sink& sink) {
  for (const apply::Recovered::SetAside& one : recovered.set_aside) {
    auto& d = sink.add(diag::Code::JournalUnreadable, std::nullopt, one.error.message());
    d.notes.push_back(fmt::format("renamed to `{}`", one.path));
    d.help = "memory is still onlined; `memonline status` shows where it drifts from the policy";
  }
}

RenderedReport rendered(const apply::Report& report, std::string_view verb) {
  return {report.result(), apply::to_json(report), apply::to_text(report, verb)};
}

ExitStatus status_of(Report::Result result) {
  switch (result) {
    case Report::Result::Complete: return ExitStatus::Done;
    case Report::Result::Partly: return ExitStatus::Partly;
    case Report::Result::Failed: break;
  }
  return ExitStatus::Failure;
}

void add_up(std::optional<apply::Report>& sum, apply::Report&& report) {
  if (!sum) {
    sum = std::move(report);
    return;
  }
  sum->blocks += report.blocks;
  sum->blocks_done += report.blocks_done;
  sum->seconds += report.seconds;
  sum->ended = report.ended;
  sum->stop_reason = report.stop_reason;
  sum->stopped_at = std::move(report.stopped_at);
  for (apply::StepReport& step : report.steps) sum->steps.push_back(std::move(step));
}

std::string to_json(const RunDocument& document, const diag::Sink& sink) {
  JsonWriter json;
  json.begin_object()
      .member("schema", "memonline.report/1")
      .member("result", document.result)
      .member("exit_status", static_cast<std::uint64_t>(document.status))
      .member("fingerprint", document.fingerprint);
  json.key("report");
  document.report ? json.embed(document.report->json) : json.null();
  json.key("undone");
  document.undone ? json.embed(document.undone->json) : json.null();
  json.key("recovered").begin_array();
  for (const std::string& line : document.recovered) json.value(line);
  json.end_array().key("boot");
  if (document.boot) {
    json.begin_object().key("parameters").begin_array(text::Layout::Line);
    for (const std::string& word : document.boot->parameters) json.value(word);
    json.end_array();
    json.member("written", document.boot->written).member("changed", document.boot->changed);
    json.end_object();
  } else {
    json.null();
  }
  if (document.judgement) {
    json.member("verdict", plan::verdict_name(document.judgement->verdict));
    render::write_remaining(json, document.judgement->remaining);
    render::write_agents(json, document.agents);
  }
  json.key("diagnostics").begin_array();
  for (const diag::Diagnostic& d : sink.sorted()) {
    json.begin_object()
        .member("code", diag::name_of(d.code))
        .member("severity", diag::severity_name(d.severity))
        .member("message", d.message);
    json.key("notes").begin_array();
    for (const std::string& note : d.notes) json.value(note);
    json.end_array().member("help", d.help).end_object();
  }
  return std::move(json.end_array().end_object()).finish();
}

}  // namespace memonline::cli
