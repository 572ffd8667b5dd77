// SPDX-License-Identifier: LGPL-2.1-or-later
// What all objects on the bus use: the service, the authorization of callers, and their limits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "dbus/audit.hpp"
#include "dbus/authorize.hpp"
#include "dbus/boot_loader.hpp"
#include "dbus/convert.hpp"
#include "dbus/gate.hpp"
#include "dbus/guard.hpp"
#include "dbus/log.hpp"
#include "dbus/peers.hpp"
#include "dbus/visitors.hpp"
#include "runtime/service/service.hpp"

namespace memonline::bus {

struct BusContext {
  BusContext(sdbus::IConnection& c, service::Service& s, const Log& l)
      : connection(c), service(s), log(l), boot_loader(c), gate(c) {}

  /// The user and the connection of a request, for the queues.
  using Requester = service::Requester;

  sdbus::IConnection& connection;
  service::Service& service;
  const Log& log;
  BootLoader boot_loader;
  Gate gate;
  Clients clients;
  /// Shared with replies, which may outlive the context.
  std::shared_ptr<Audit> audit = std::make_shared<Audit>(log);
  /// Requests of a connection are dropped when it leaves the bus.
  Peers peers{[this](const std::string& name) { left(name); }};
  Visitors visitors{peers};
  Authority authority{connection, [this](const std::string& name) { left(name); }};

  /// Counts the request, and does `work` for any caller.
  template <class... Values, class Work>
  void received(const Caller& caller, const Reply<Values...>& reply, Work work) {
    serve(caller, Purpose::Reads, reply, std::move(work));
  }
  /// The same once the caller is authorized for the action; otherwise the reply is an error.
  template <class... Values, class Work>
  void allowed(const Caller& caller, const Question& question, const Reply<Values...>& reply,
               Work work) {
    serve(caller, Purpose::Changes, reply,
          [this, caller, question, reply, work = std::move(work)](const Requester& who) {
            ask(caller, question, reply, who, work);
          });
  }
  /// The same for a request about one job; `verb` is for example "cancel". The user who started the
  /// job was authorized then, and is not queried again. Without `job` it is about any job.
  template <class... Values, class Work>
  void allowed_for_job(const Caller& caller, std::optional<std::uint64_t> job,
                       const std::string& verb, const Reply<Values...>& reply, Work work) {
    serve(caller, Purpose::Changes, reply,
          [this, caller, job, verb, reply, work = std::move(work)](const Requester& who) {
            const Question question{actions::kApply, job_details(job, verb)};
            if (job && service.queue().owner_of(*job) == who.uid)
              work(who);
            else
              ask(caller, question, reply, who, work);
          });
  }
  void cancel(const Caller& caller, std::uint64_t job, const Reply<>& reply) {
    allowed_for_job(caller, job, "cancel", reply, [this, job, reply](const Requester&) {
      if (const auto done = service.cancel(job); done)
        reply();
      else
        reply.fail(errors::of(done.error()));
    });
  }

 private:
  void left(const std::string& name) {
    service.forget(name);
    visitors.left(name);
    gate.forget(name);
  }
  template <class... Values, class Work>
  void ask(const Caller& caller, const Question& question, const Reply<Values...>& reply,
           const Requester& who, const Work& work) {
    if (who.uid != 0) reply.hold(clients.questions.take(who.uid));
    authority.ask(caller, who.uid, question,
                  with_uid(reply, [work, who](std::uint32_t) { work(who); }));
  }
  enum class Purpose : std::uint8_t { Reads, Changes };
  template <class... Values, class Work>
  void serve(const Caller& caller, Purpose purpose, const Reply<Values...>& reply, Work work) {
    const auto request = std::make_shared<Audit::Request>();
    request->method = caller.method;
    request->digest = caller.digest;
    request->changes = purpose == Purpose::Changes;
    reply.watch(
        [audit = audit, request](const sdbus::Error* error) { audit->answered(*request, error); });
    reply.measured_by(
        [this, name = caller.name](std::size_t size) { return gate.may_send(name, size); });
    reply.hold(clients.admit(caller.name));
    // A request over a limit is refused before the bus is queried.
    const auto count = [this, request, reply](const Authority::Identity& who) {
      request->uid = who.uid;
      request->pid = who.pid;
      reply.hold(clients.requests.take(who.uid));
    };
    const Authority::Identity* known = authority.known(caller.name);
    const bool counted = known != nullptr;
    if (known) count(*known);
    reply.hold(peers.watch(caller));
    // Including root: until callers are identified, they share one limit.
    const auto held = std::make_shared<Ticket>();
    if (!counted) *held = clients.unidentified.take(0, caller.bytes);
    authority.identify(caller.name, [caller, count, counted, reply, held, work = std::move(work)](
                                        const Result<Authority::Identity, sdbus::Error>& who) {
      held->reset();
      if (!who) {
        reply.fail(who.error());
        return;
      }
      answering(reply, [&] {
        if (!counted) count(*who);
        work(Requester{who->uid, caller.name});
      });
    });
  }
  template <class... Values, class Work>
  static Authority::Verdict with_uid(const Reply<Values...>& reply, Work work) {
    return [reply, work = std::move(work)](const Result<std::uint32_t, sdbus::Error>& uid) {
      if (uid)
        answering(reply, [&] { work(*uid); });
      else
        reply.fail(uid.error());
    };
  }
};

}  // namespace memonline::bus
