// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/apply/report_json.hpp"

#include "compiler/model/zone.hpp"
#include "compiler/text/json_writer.hpp"

namespace memonline::apply {

namespace {

using text::JsonWriter;
using text::Layout;

std::string_view outcome_name(Outcome outcome) {
  switch (outcome) {
    case Outcome::Pending: return "pending";
    case Outcome::Done: return "done";
    case Outcome::Already: return "already";
    case Outcome::Again:
    case Outcome::Refused: return "refused";
    case Outcome::WrongZone: return "wrong-zone";
    case Outcome::Deadline: return "deadline";
    case Outcome::Vanished: return "vanished";
    case Outcome::NotTried: return "not-tried";
    case Outcome::TakenBack: return "taken-back";
    case Outcome::NotRestored: return "left-alone";
  }
  return "pending";
}

std::string_view ended_name(Ended ended) {
  switch (ended) {
    case Ended::Finished: return "finished";
    case Ended::Interrupted: return "interrupted";
    case Ended::LockHeld: return "lock-held";
    case Ended::Died: return "killed";
  }
  return "finished";
}

std::uint64_t milliseconds(double seconds) { return static_cast<std::uint64_t>(seconds * 1000); }

void put(JsonWriter& json, const StuckPage& stuck) {
  json.begin_object(Layout::Line).key("pfn");
  stuck.page ? json.value(stuck.page->value()) : json.null();
  json.key("holds");
  stuck.use ? json.value(model::page_use_name(*stuck.use)) : json.null();
  json.key("kernel");
  stuck.why.empty() ? json.null() : json.value(stuck.why);
  json.end_object();
}

void put(JsonWriter& json, const Finding& finding, bool of_blocks) {
  json.begin_object(Layout::Line);
  if (of_blocks) {
    json.key("blocks").begin_array(Layout::Line);
    json.value(finding.blocks.first).value(finding.blocks.last).end_array();
  }
  json.member("outcome", outcome_name(finding.result.outcome));
  json.key("errno");
  finding.result.error == 0 ? json.null() : json.value(errno_text(finding.result.error));
  json.member("tries", static_cast<std::uint64_t>(finding.result.tries));
  json.key("zone");
  finding.result.outcome == Outcome::WrongZone
      ? json.value(model::zone_name(static_cast<model::Zone>(finding.result.zone)))
      : json.null();
  json.member("put_back", static_cast<bool>(finding.result.put_back)).member("text", finding.text);
  if (finding.page) put(json.key("page"), *finding.page);
  json.end_object();
}

void put(JsonWriter& json, const StepReport& step) {
  const bool of_blocks = Task::is_of_blocks(step.kind);
  json.begin_object()
      .member("number", static_cast<std::uint64_t>(step.number))
      .member("what", step.what)
      .member("wanted", step.wanted)
      .member("done", step.done)
      .member("already", step.already)
      .member("milliseconds", milliseconds(step.seconds));
  if (step.freed) json.member("freed", *step.freed);
  json.key("findings").begin_array();
  for (const Finding& finding : step.findings) put(json, finding, of_blocks);
  json.end_array().end_object();
}

}  // namespace

std::string_view result_name(Report::Result result) {
  switch (result) {
    case Report::Result::Complete: return "complete";
    case Report::Result::Partly: return "partly";
    case Report::Result::Failed: break;
  }
  return "failed";
}

std::string to_json(const Report& report) {
  JsonWriter json;
  json.begin_object()
      .member("result", result_name(report.result()))
      .member("blocks", report.blocks)
      .member("blocks_done", report.blocks_done)
      .member("block_size", report.block_size)
      .member("milliseconds", milliseconds(report.seconds))
      .member("ended", ended_name(report.ended.value_or(Ended::Finished)));
  json.key("steps").begin_array();
  for (const StepReport& step : report.steps) put(json, step);
  return std::move(json.end_array().end_object()).finish();
}

}  // namespace memonline::apply
