// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dbus/bus_listener.hpp"

#include <optional>

#include <fmt/format.h>
#include <systemd/sd-daemon.h>

#include "dbus/errors.hpp"

namespace memonline::bus {

void BusListener::serve(service::Service& service, const model::Host& host) {
  context_ = std::make_unique<BusContext>(connection_, service, log_);
  manager_ = std::make_unique<Manager>(*context_, host);
  nodes_ = std::make_unique<Nodes>(connection_);
  jobs_ = std::make_unique<Jobs>(*context_);
  context_->gate.estimate_by([this](const std::string& path, const std::string& interface) {
    return size_of_answer(path, interface);
  });
  context_->gate.identify_by([this](const std::string& name, const Gate::Known& known) {
    context_->authority.identify(
        name, [known](const Result<Authority::Identity, sdbus::Error>& who) {
          // A timeout of the bus says nothing about the caller.
          if (who || std::string(who.error().getName()) != errors::kTimedOut)
            known(who ? std::optional(who->uid) : std::nullopt);
        });
  });
  context_->gate.report_refusals_to([this](const std::string& name, const std::string& method,
                                           const char* why) { report_refusal(name, method, why); });
  context_->gate.tell(
      [this](const std::string& name, sd_bus* bus) {
        context_->service.consider_memory();
        if (watches_callers_) context_->visitors.called(name, bus);
      },
      [this](const std::string& name) { context_->visitors.left(name); });
}

// Of the calls that arrive before their connection is identified, the first is reported and the
// others are counted.
void BusListener::report_refusal(const std::string& name, const std::string& method,
                                 const char* why) {
  const auto report = [this, method, why](std::optional<Authority::Identity> who,
                                          std::uint64_t calls) {
    Audit::Request request;
    request.method = method;
    if (who) {
      request.uid = who->uid;
      request.pid = who->pid;
    }
    const sdbus::Error error = make_error(errors::kLimitsExceeded, why);
    for (; calls > 0; --calls) context_->audit->answered(request, &error);
  };
  if (const Authority::Identity* known = context_->authority.known(name)) {
    report(*known, 1);
  } else if (++refused_unidentified_[name] == 1) {
    context_->authority.identify(
        name, [this, name, report](const Result<Authority::Identity, sdbus::Error>& who) {
          report(who ? std::optional(*who) : std::nullopt,
                 refused_unidentified_.extract(name).mapped());
        });
  }
}

// Of replies that libsystemd sends by itself. One property counts as all of its object, as an upper
// bound.
std::size_t BusListener::size_of_answer(const std::string& path,
                                        const std::string& interface) const {
  constexpr std::size_t kIntrospection = std::size_t{32} << 10U;
  if (interface == "org.freedesktop.DBus.Introspectable")
    return kIntrospection + 32 * nodes_->count();
  if (interface == "org.freedesktop.DBus.ObjectManager")
    return jobs_->size() + nodes_->count() * Nodes::kSize;
  if (interface != "org.freedesktop.DBus.Properties") return 0;
  if (path == kManagerPath) return manager_->size();
  const auto job = job_named(path);
  return job ? jobs_->size_of(*job) : Nodes::kSize;
}

void BusListener::watch_callers() { watches_callers_ = true; }

bool BusListener::has_requests() const { return context_->clients.any(); }

bool BusListener::has_callers() const { return context_->visitors.any(); }

std::chrono::steady_clock::time_point BusListener::last_call() const {
  return context_->visitors.last_call();
}

void BusListener::close() {
  if (context_) {
    context_->gate.estimate_by({});
    context_->gate.identify_by({});
    context_->gate.tell({}, {});
    context_->gate.report_refusals_to({});
  }
  jobs_.reset();
  nodes_.reset();
  manager_.reset();
  context_.reset();
}

template <class Body>
void BusListener::tell(Body&& body) {
  if (!context_) return;
  try {
    body();
  } catch (const std::exception& error) {
    log_.say(4, fmt::format("cannot announce a change on the bus: {}", error.what()));
  }
}

void BusListener::view_changed(const service::View& before, const service::View& now) {
  if (before.state != now.state)
    log_.say(5, fmt::format("state: {} (was: {})", service::state_name(now.state),
                            service::state_name(before.state)));
  notify_status(now);
  tell([&] {
    manager_->show(before, now);
    nodes_->show(now);
  });
}

void BusListener::job_added(const service::Job& job) {
  tell([&] {
    jobs_->add(job);
    manager_->show_jobs();
  });
}

void BusListener::job_changed(const service::Job& job) {
  tell([&] {
    jobs_->show(job);
    manager_->show_jobs();
  });
}

void BusListener::job_removed(std::uint64_t id) {
  tell([&] { jobs_->remove(id); });
}

void BusListener::say(int priority, const std::string& message, const Fields& fields) {
  log_.say(priority, message, fields);
}

void notify_status(const service::View& view) {
  const service::Counters& c = view.counters;
  sd_notify(0, fmt::format("STATUS={}: {} blocks onlined, {} block ranges failing",
                           service::state_name(view.state), c.blocks_onlined, view.failing.size())
                   .c_str());
}

}  // namespace memonline::bus
