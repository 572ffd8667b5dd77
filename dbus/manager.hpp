// SPDX-License-Identifier: LGPL-2.1-or-later
// The object /org/memonline1. org.memonline1.Manager.xml describes its members.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <manager_adaptor.hpp>

#include "compiler/model/host.hpp"
#include "dbus/bus_context.hpp"

namespace memonline::bus {

class Manager final
    : public sdbus::AdaptorInterfaces<org::memonline1::Manager_adaptor, sdbus::Properties_adaptor,
                                      sdbus::ObjectManager_adaptor> {
 public:
  /// `host` supplies the properties that cannot change while the kernel runs.
  Manager(BusContext& context, const model::Host& host);
  ~Manager();
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  /// Announces the properties that differ.
  void show(const service::View& before, const service::View& now);
  /// Announces ActiveJob if it has changed.
  void show_jobs();
  /// The size of all properties on the bus.
  [[nodiscard]] std::size_t size() const;

 private:
  void Check(sdbus::Result<std::string>&& result, std::string policy) override;
  void Plan(sdbus::Result<Dict>&& result, Dict options) override;
  void PlanToFile(sdbus::Result<Dict>&& result, Dict options) override;
  void SubmitPlan(sdbus::Result<std::string>&& result, std::string document) override;
  void SubmitCompressedPlan(sdbus::Result<std::string>&& result,
                            std::vector<std::uint8_t> document) override;
  void Apply(sdbus::Result<sdbus::ObjectPath>&& result, std::string digest, Dict options) override;
  void Confirm(sdbus::Result<sdbus::ObjectPath>&& result) override;
  void Undo(sdbus::Result<sdbus::ObjectPath>&& result) override;
  void Cancel(sdbus::Result<>&& result, sdbus::ObjectPath job) override;
  void WriteBootParameters(sdbus::Result<>&& result) override;
  void Reload(sdbus::Result<std::string>&& result) override;
  void Verify(sdbus::Result<Dict>&& result) override;
  void GetHost(sdbus::Result<Dict>&& result) override;
  void Explain(sdbus::Result<std::string>&& result, std::string what) override;
  void ListBlocks(sdbus::Result<std::vector<Dict>>&& result, Dict filter) override;
  void GetPolicies(sdbus::Result<std::vector<Dict>>&& result) override;

  std::string State() override;
  std::vector<sdbus::Struct<std::string, std::string>> PolicyFiles() override;
  std::string Problems() override;
  std::string Kernel() override;
  std::string Era() override;
  std::uint64_t BlockSize() override;
  std::string HotplugBy() override;
  std::string HotplugWhy() override;
  std::map<std::string, std::string> Switches() override;
  std::map<std::string, std::vector<std::string>> PendingKernelParameters() override;
  std::vector<FailingRow> Failing() override;
  std::vector<std::string> LeftAlone() override;
  std::map<std::string, std::uint64_t> Counters() override;
  sdbus::ObjectPath ActiveJob() override;
  std::string Version() override;

  enum class Document { Text, File };
  void plan(sdbus::Result<Dict>&& result, Dict options, Document form);
  /// `bytes`: counted as pending until the reply is sent.
  void submit(const Reply<std::string>& reply, std::size_t bytes, service::SubmittedPlan document);
  [[nodiscard]] const service::View& view() const { return *context_.service.view(); }
  [[nodiscard]] std::string active_job() const;

  BusContext& context_;
  std::string kernel_, era_;
  std::uint64_t block_size_;
  std::string active_ = "/";  ///< as last announced
};

}  // namespace memonline::bus
