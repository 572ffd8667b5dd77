// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dbus/jobs.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "dbus/wire_size.hpp"

namespace memonline::bus {

namespace {

double progress(const service::Job& job) {
  if (job.blocks == 0) return job.stage == service::Job::Stage::Done ? 1 : 0;
  return static_cast<double>(job.blocks_done) / static_cast<double>(job.blocks);
}

const char* verb_of(const service::Job& job) {
  return job.kind == service::Job::Kind::Undo ? "undone" : "applied";
}

/// Bytes of the properties that are neither texts nor reports, with their names.
constexpr std::size_t kPlainProperties = 1024;

}  // namespace

JobObject::JobObject(BusContext& context, service::Job job)
    : AdaptorInterfaces(context.connection, sdbus::ObjectPath(job_path(job.id))),
      context_(context),
      job_(std::move(job)) {
  make_reports();
  registerAdaptor();
  emitInterfacesAddedSignal();
}

JobObject::~JobObject() {
  try {
    emitInterfacesRemovedSignal();
  } catch (const sdbus::Error&) {  // The bus is gone.
  }
  unregisterAdaptor();
}

void JobObject::Cancel(sdbus::Result<>&& result) {
  const Reply<> reply(std::move(result));
  answering(reply, [&] {
    const Caller caller = current_caller(getObject());
    context_.cancel(caller, job_.id, reply);
  });
}

void JobObject::ReportToFile(sdbus::Result<Dict>&& result) {
  const Reply<Dict> reply(std::move(result));
  answering(reply, [&] {
    context_.received(current_caller(getObject()), reply, [job = job_, reply](const auto&) {
      if (!job.report) throw make_error(errors::kNothingToDo, "the job has no report");
      Dict reports{{"report", sdbus::Variant(report_files(*job.report, verb_of(job)))}};
      if (job.undone)
        reports.emplace("undone", sdbus::Variant(report_files(*job.undone, "undone")));
      reply(reports);
    });
  });
}

void JobObject::AdjustTimeout(sdbus::Result<>&& result, std::uint32_t seconds) {
  const Reply<> reply(std::move(result));
  answering(reply, [&] {
    const Caller caller = current_caller(getObject());
    const std::chrono::seconds time(seconds_from_now(seconds));
    context_.allowed_for_job(caller, job_.id, "change the time limit of", reply,
                             [&context = context_, id = job_.id, time, reply](const auto&) {
                               const auto done = context.service.adjust_timeout(id, time);
                               if (!done) throw errors::of(done.error());
                               reply();
                             });
  });
}

std::string JobObject::Kind() {
  return guarded([&] { return std::string(service::kind_name(job_.kind)); });
}
std::string JobObject::State() {
  return guarded([&] { return std::string(service::stage_name(job_.stage)); });
}
std::string JobObject::Result() {
  return guarded([&] { return std::string(service::result_name(job_.result)); });
}
std::uint32_t JobObject::Attempts() { return job_.attempts; }
double JobObject::Progress() { return progress(job_); }
std::uint64_t JobObject::Blocks() { return job_.blocks; }
std::uint64_t JobObject::BlocksDone() { return job_.blocks_done; }
std::uint64_t JobObject::StepsDone() { return job_.steps_done; }
std::uint64_t JobObject::StepsTotal() { return job_.steps; }
std::string JobObject::CurrentStep() {
  return guarded([&] { return utf8(job_.step); });
}
std::uint32_t JobObject::StartedByUID() { return job_.uid; }
std::uint64_t JobObject::TimeLeft() {
  if (!job_.undone_at) return 0;
  const auto left = *job_.undone_at - runtime::BootClock::now();
  return static_cast<std::uint64_t>(
      std::max<std::int64_t>(0, std::chrono::ceil<std::chrono::microseconds>(left).count()));
}
std::string JobObject::Error() {
  return guarded([&] { return utf8(job_.error); });
}

std::string JobObject::ErrorName() {
  return guarded([&] { return errors::name_of(job_.failure); });
}

Dict JobObject::Report() {
  return guarded([&] { return report_; });
}
Dict JobObject::Undone() {
  return guarded([&] { return undone_; });
}

void JobObject::show(const service::Job& now) {
  const service::Job before = std::exchange(job_, now);
  std::vector<std::string> changed;
  const auto look = [&](const char* name, bool differs) {
    if (differs) changed.emplace_back(name);
  };
  look("State", before.stage != now.stage);
  look("Result", before.result != now.result);
  look("Attempts", before.attempts != now.attempts);
  look("Progress", progress(before) != progress(now));
  look("Blocks", before.blocks != now.blocks);
  look("BlocksDone", before.blocks_done != now.blocks_done);
  look("StepsDone", before.steps_done != now.steps_done);
  look("StepsTotal", before.steps != now.steps);
  look("CurrentStep", before.step != now.step);
  look("TimeLeft", before.undone_at != now.undone_at);
  look("Error", before.error != now.error);
  look("ErrorName", before.failure != now.failure);
  look("Report", before.report.has_value() != now.report.has_value());
  look("Undone", before.undone.has_value() != now.undone.has_value());
  if (before.report.has_value() != now.report.has_value() ||
      before.undone.has_value() != now.undone.has_value())
    make_reports();
  if (!changed.empty())
    emit_changed(getObject(), org::memonline1::Job_adaptor::INTERFACE_NAME, changed);
  if (before.stage != now.stage && now.stage == service::Job::Stage::Done)
    emitFinished(std::string(service::result_name(now.result)), job_details(now));
}

std::size_t JobObject::size() const {
  return kPlainProperties + wire_size(job_.step) + wire_size(job_.error) + wire_size(report_) +
         wire_size(undone_);
}

void JobObject::make_reports() {
  report_ = report_dict(job_.report, verb_of(job_));
  undone_ = report_dict(job_.undone, "undone");
}

std::size_t Jobs::size_of(std::uint64_t id) const {
  const auto known = jobs_.find(id);
  return known == jobs_.end() ? 0 : known->second->size();
}

std::size_t Jobs::size() const {
  std::size_t size = 0;
  for (const auto& [id, job] : jobs_) size += job->size();
  return size;
}

void Jobs::add(const service::Job& job) {
  jobs_.insert_or_assign(job.id, std::make_unique<JobObject>(context_, job));
}

void Jobs::show(const service::Job& job) {
  if (const auto known = jobs_.find(job.id); known != jobs_.end()) known->second->show(job);
}

}  // namespace memonline::bus
