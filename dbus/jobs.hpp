// SPDX-License-Identifier: LGPL-2.1-or-later
// The objects /org/memonline1/job/N. org.memonline1.Job.xml describes their members.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include <job_adaptor.hpp>

#include "dbus/bus_context.hpp"

namespace memonline::bus {

class JobObject final
    : public sdbus::AdaptorInterfaces<org::memonline1::Job_adaptor, sdbus::Properties_adaptor,
                                      sdbus::ManagedObject_adaptor> {
 public:
  JobObject(BusContext& context, service::Job job);
  ~JobObject();
  JobObject(const JobObject&) = delete;
  JobObject& operator=(const JobObject&) = delete;
  /// Announces the properties that differ, and that it is done.
  void show(const service::Job& now);
  /// The size of all properties on the bus.
  [[nodiscard]] std::size_t size() const;

 private:
  void Cancel(sdbus::Result<>&& result) override;
  void ReportToFile(sdbus::Result<Dict>&& result) override;
  void AdjustTimeout(sdbus::Result<>&& result, std::uint32_t seconds) override;
  std::string Kind() override;
  std::string State() override;
  std::uint32_t Attempts() override;
  std::string Result() override;
  double Progress() override;
  std::uint64_t Blocks() override;
  std::uint64_t BlocksDone() override;
  std::uint64_t StepsDone() override;
  std::uint64_t StepsTotal() override;
  std::string CurrentStep() override;
  std::uint32_t StartedByUID() override;
  std::uint64_t TimeLeft() override;
  std::string Error() override;
  std::string ErrorName() override;
  Dict Report() override;
  Dict Undone() override;

  /// Made once: a report is long, and every user may read its property.
  void make_reports();

  BusContext& context_;
  service::Job job_;
  Dict report_, undone_;
};

class Jobs {
 public:
  explicit Jobs(BusContext& context) : context_(context) {}
  void add(const service::Job& job);
  void show(const service::Job& job);
  void remove(std::uint64_t id) { jobs_.erase(id); }
  /// The size of all properties of one job, or of all jobs.
  [[nodiscard]] std::size_t size_of(std::uint64_t id) const;
  [[nodiscard]] std::size_t size() const;

 private:
  BusContext& context_;
  std::map<std::uint64_t, std::unique_ptr<JobObject>> jobs_;
};

}  // namespace memonline::bus
