// SPDX-License-Identifier: LGPL-2.1-or-later
// The service as the bus, the log and systemd see it: reports changes to all three.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "dbus/bus_context.hpp"
#include "dbus/jobs.hpp"
#include "dbus/manager.hpp"
#include "dbus/nodes.hpp"

namespace memonline::bus {

class BusListener final : public service::Listener {
 public:
  BusListener(sdbus::IConnection& connection, const Log& log)
      : connection_(connection), log_(log) {}
  /// Puts the objects on the bus; before that, changes are only logged.
  void serve(service::Service& service, const model::Host& host);
  /// From now on, callers and the times of their calls are recorded.
  void watch_callers();
  /// Removes the objects; replies to pending requests.
  void close();

  /// A request is under way.
  [[nodiscard]] bool has_requests() const;
  /// A caller is still on the bus.
  [[nodiscard]] bool has_callers() const;
  /// When the last call arrived, or the last caller left.
  [[nodiscard]] std::chrono::steady_clock::time_point last_call() const;

  void view_changed(const service::View& before, const service::View& now) override;
  void job_added(const service::Job& job) override;
  void job_changed(const service::Job& job) override;
  void job_removed(std::uint64_t id) override;
  void say(int priority, const std::string& message, const Fields& fields) override;

 private:
  /// An exception of a body is a failure of the bus (connection lost, out of memory): it is logged.
  template <class Body>
  void tell(Body&& body);
  /// In the audit log.
  void report_refusal(const std::string& name, const std::string& method, const char* why);
  [[nodiscard]] std::size_t size_of_answer(const std::string& path,
                                           const std::string& interface) const;

  sdbus::IConnection& connection_;
  const Log& log_;
  std::unique_ptr<BusContext> context_;
  std::unique_ptr<Manager> manager_;
  std::unique_ptr<Nodes> nodes_;
  std::unique_ptr<Jobs> jobs_;
  bool watches_callers_ = false;
  /// Calls refused while the bus identifies the connection.
  std::map<std::string, std::uint64_t> refused_unidentified_;
};

/// STATUS= of systemd's notification: the state and its figures.
void notify_status(const service::View& view);

}  // namespace memonline::bus
