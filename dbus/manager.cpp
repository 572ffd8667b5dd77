// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dbus/manager.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "compiler/model/era.hpp"
#include "compiler/render/explanation.hpp"
#include "dbus/wire_size.hpp"
#include "runtime/apply/plan_file.hpp"
#include "runtime/base/deflate.hpp"

namespace memonline::bus {

using service::Requester;
using service::Service;
using service::View;

namespace {

template <class Answer>
using Outcome = Result<Answer, service::Refused>;

/// Bytes of a plan in a message. Longer plans must be compressed.
constexpr std::size_t kMaxSubmitted = Service::kMaxPolicyText;
/// Bytes of the argument of Explain.
constexpr std::size_t kMaxQuestion = 4096;
constexpr auto kToFile = "use PlanToFile, which returns plans of any size";
/// Bytes of the properties that are not lists, and of all names.
constexpr std::size_t kPlainProperties = 2048;

/// Sends diagnostics, or the error.
service::Answer<std::string> sending(const Reply<std::string>& reply) {
  return [reply](const Outcome<std::string>& diagnostics) {
    if (diagnostics)
      reply(utf8(*diagnostics));
    else
      reply.fail(errors::of(diagnostics.error()));
  };
}

std::string by(const View& view) {
  return view.plan ? std::string(plan::onliner_name(view.plan->hotplug.by)) : std::string();
}
std::string why(const View& view) {
  return view.plan ? utf8(view.plan->hotplug.why) : std::string();
}

}  // namespace

Manager::Manager(BusContext& context, const model::Host& host)
    : AdaptorInterfaces(context.connection, sdbus::ObjectPath(kManagerPath)),
      context_(context),
      kernel_(utf8(host.kernel)),
      era_(model::era_name(host.era)),
      block_size_(host.block_size.value()) {
  registerAdaptor();
}

Manager::~Manager() { unregisterAdaptor(); }

// ---- methods that only read ----

void Manager::Check(sdbus::Result<std::string>&& result, std::string policy) {
  const Reply<std::string> reply(std::move(result));
  answering(reply, [&] {
    if (policy.size() > Service::kMaxPolicyText)
      throw make_error(
          errors::kLimitsExceeded,
          fmt::format("the policy has {} bytes, limit {}", policy.size(), Service::kMaxPolicyText));
    Caller caller = current_caller(getObject());
    caller.bytes = policy.size();
    context_.received(caller, reply,
                      [this, reply, policy = std::move(policy)](const Requester& who) {
                        context_.service.check(policy, sending(reply), who);
                      });
  });
}

void Manager::Plan(sdbus::Result<Dict>&& result, Dict options) {
  plan(std::move(result), std::move(options), Document::Text);
}

void Manager::PlanToFile(sdbus::Result<Dict>&& result, Dict options) {
  plan(std::move(result), std::move(options), Document::File);
}

void Manager::plan(sdbus::Result<Dict>&& result, Dict options, Document form) {
  const Reply<Dict> reply(std::move(result));
  reply.instead(kToFile);
  answering(reply, [&] {
    Caller caller = current_caller(getObject());
    service::PlanRequest request = plan_request(std::move(options));
    caller.bytes = request.policy ? request.policy->size() : 0;
    const auto tell = [reply, form](const Outcome<service::PlanAnswer>& answer) {
      answering(reply, [&] {
        if (!answer) throw errors::of(answer.error());
        if (!answer->document)
          throw make_error(
              answer->policy_invalid ? errors::kPolicyInvalid : errors::kPlanImpossible,
              utf8(answer->problem));
        if (form == Document::Text && answer->document->size() > kMaxReply)
          throw too_long(answer->document->size(), kToFile);
        Dict dict = plan_dict(*answer);
        dict.emplace("document", form == Document::Text
                                     ? sdbus::Variant(*answer->document)
                                     : sdbus::Variant(sealed_file(*answer->document)));
        reply(dict);
      });
    };
    context_.received(caller, reply,
                      [this, tell, request = std::move(request)](const Requester& who) {
                        service::PlanRequest mine = request;
                        mine.who = who;
                        context_.service.plan(std::move(mine), tell);
                      });
  });
}

void Manager::Verify(sdbus::Result<Dict>&& result) {
  const Reply<Dict> reply(std::move(result));
  answering(reply, [&] {
    context_.received(current_caller(getObject()), reply, [this, reply](const Requester& who) {
      context_.service.verify(
          [reply](const Outcome<std::shared_ptr<const View>>& now) {
            answering(reply, [&] {
              if (!now) throw errors::of(now.error());
              reply(drift(**now));
            });
          },
          who);
    });
  });
}

void Manager::GetHost(sdbus::Result<Dict>&& result) {
  const Reply<Dict> reply(std::move(result));
  answering(reply, [&] {
    const Caller caller = current_caller(getObject());
    context_.received(caller, reply, [this, reply](const Requester& who) {
      context_.service.verify(
          [reply, uid = who.uid](const Outcome<std::shared_ptr<const View>>& now) {
            answering(reply, [&] {
              if (!now) throw errors::of(now.error());
              reply(host_dict(**now, uid == 0));
            });
          },
          who);
    });
  });
}

void Manager::Explain(sdbus::Result<std::string>&& result, std::string what) {
  const Reply<std::string> reply(std::move(result));
  reply.instead("request fewer blocks");
  answering(reply, [&] {
    if (what.size() > kMaxQuestion)
      throw make_error(errors::kLimitsExceeded, fmt::format("the argument has {} bytes, limit {}",
                                                            what.size(), kMaxQuestion));
    context_.received(
        current_caller(getObject()), reply, [this, reply, what = std::move(what)](const auto&) {
          const auto text =
              render::explain(what, *view().host, view().plan.get(), render::Form::Text);
          if (!text)
            throw make_error(text.error().kind == render::Unexplained::Kind::NoSuchBlock
                                 ? errors::kUnknownBlock
                                 : errors::kInvalidArgs,
                             fmt::format("{}; {}", text.error().message, text.error().help));
          reply(utf8(*text));
        });
  });
}

void Manager::ListBlocks(sdbus::Result<std::vector<Dict>>&& result, Dict filter) {
  const Reply<std::vector<Dict>> reply(std::move(result));
  answering(reply, [&] {
    context_.received(
        current_caller(getObject()), reply,
        [this, reply, filter = std::move(filter)](const auto&) { reply(runs(view(), filter)); });
  });
}

void Manager::GetPolicies(sdbus::Result<std::vector<Dict>>&& result) {
  const Reply<std::vector<Dict>> reply(std::move(result));
  constexpr const char* kInstead = "use `memonline cat-policy`";
  reply.instead(kInstead);
  answering(reply, [&] {
    const Caller caller = current_caller(getObject());
    context_.received(caller, reply, [this, caller, reply](const Requester& who) {
      std::size_t size = 0;
      if (view().policy)
        for (const source::SourceFile& file : view().policy->files) size += file.text().size();
      if (size > kMaxReply) throw too_long(size, kInstead);
      // The groups of the caller are queried only if they matter.
      if (who.uid == 0 || readable_by_everybody(view())) {
        reply(policies(view(), {who.uid, {}}));
        return;
      }
      context_.authority.credentials(
          caller, [this, reply](const Result<policy::Credentials, sdbus::Error>& credentials) {
            answering(reply, [&] {
              if (credentials)
                reply(policies(view(), *credentials));
              else
                reply.fail(credentials.error());
            });
          });
    });
  });
}

void Manager::SubmitPlan(sdbus::Result<std::string>&& result, std::string document) {
  const Reply<std::string> reply(std::move(result));
  answering(reply, [&] {
    if (document.size() > kMaxSubmitted)
      throw make_error(errors::kLimitsExceeded, fmt::format("the plan has {} bytes, limit {}: use "
                                                            "SubmitCompressedPlan for longer plans",
                                                            document.size(), kMaxSubmitted));
    const std::size_t bytes = document.size();
    submit(reply, bytes, [document = std::move(document)] { return document; });
  });
}

void Manager::SubmitCompressedPlan(sdbus::Result<std::string>&& result,
                                   std::vector<std::uint8_t> document) {
  const Reply<std::string> reply(std::move(result));
  answering(reply, [&] {
    if (document.size() > kMaxSubmitted)
      throw make_error(
          errors::kLimitsExceeded,
          fmt::format("the compressed plan has {} bytes, limit {}: apply it with `memonline "
                      "apply --direct`",
                      document.size(), kMaxSubmitted));
    const std::size_t bytes = document.size();
    submit(reply, bytes, [document = std::move(document)]() -> Result<std::string, std::string> {
      auto text = runtime::inflate(
          {reinterpret_cast<const char*>(document.data()), document.size()}, apply::kMaxPlanSize);
      if (!text) return fail(std::string(runtime::message_of(text.error())));
      return std::move(*text);
    });
  });
}

void Manager::submit(const Reply<std::string>& reply, std::size_t bytes,
                     service::SubmittedPlan document) {
  Caller caller = current_caller(getObject());
  caller.bytes = bytes;
  context_.received(
      caller, reply, [this, reply, document = std::move(document)](const Requester& who) {
        context_.service.submit(who, document, [reply](const Outcome<std::string>& digest) {
          if (digest)
            reply(*digest);
          else
            reply.fail(errors::of(digest.error()));
        });
      });
}

// ---- methods that change something ----

void Manager::Apply(sdbus::Result<sdbus::ObjectPath>&& result, std::string digest, Dict options) {
  const Reply<sdbus::ObjectPath> reply(std::move(result));
  answering(reply, [&] {
    Caller caller = current_caller(getObject());
    caller.digest = digest;
    service::ApplyRequest request = apply_request(std::move(options));
    // The digest pins what is authorized: only this plan is applied, whatever is planned meanwhile.
    // The plan is held, because a user may take minutes to enter the password.
    request.plan = context_.service.kept(digest);
    const auto summary = request.plan ? std::optional(request.plan->summary) : std::nullopt;
    const Question question{actions::kApply, plan_details(digest, summary)};
    context_.allowed(caller, question, reply,
                     [this, reply, digest = std::move(digest), request](const Requester& who) {
                       service::ApplyRequest mine = request;
                       mine.who = who;
                       context_.service.apply(digest, mine,
                                              [reply](const Outcome<std::uint64_t>& job) {
                                                if (job)
                                                  reply(sdbus::ObjectPath(job_path(*job)));
                                                else
                                                  reply.fail(errors::of(job.error()));
                                              });
                     });
  });
}

void Manager::Confirm(sdbus::Result<sdbus::ObjectPath>&& result) {
  const Reply<sdbus::ObjectPath> reply(std::move(result));
  answering(reply, [&] {
    const Caller caller = current_caller(getObject());
    // Another job may be waiting by the time that polkit replies.
    const auto waits = context_.service.queue().confirming();
    context_.allowed_for_job(caller, waits, "confirm", reply,
                             [this, reply, waits](const Requester&) {
                               const auto job = context_.service.confirm(waits);
                               if (!job) throw errors::of(job.error());
                               reply(sdbus::ObjectPath(job_path(*job)));
                             });
  });
}

void Manager::Undo(sdbus::Result<sdbus::ObjectPath>&& result) {
  const Reply<sdbus::ObjectPath> reply(std::move(result));
  answering(reply, [&] {
    const Caller caller = current_caller(getObject());
    context_.allowed(caller, {actions::kUndo}, reply, [this, reply](const Requester& who) {
      context_.service.undo(who.uid, [reply](const Outcome<std::uint64_t>& job) {
        if (job)
          reply(sdbus::ObjectPath(job_path(*job)));
        else
          reply.fail(errors::of(job.error()));
      });
    });
  });
}

void Manager::Cancel(sdbus::Result<>&& result, sdbus::ObjectPath job) {
  const Reply<> reply(std::move(result));
  answering(reply, [&] {
    const Caller caller = current_caller(getObject());
    const auto id = job_named(job);
    if (!id)
      throw make_error(errors::kUnknownJob,
                       fmt::format("`{}` is not a job path", std::string(job)));
    context_.cancel(caller, *id, reply);
  });
}

void Manager::WriteBootParameters(sdbus::Result<>&& result) {
  const Reply<> reply(std::move(result));
  answering(reply, [&] {
    const Caller caller = current_caller(getObject());
    context_.allowed(caller, {actions::kManageBoot}, reply, [this, reply](const Requester&) {
      context_.boot_loader.write([reply](const std::optional<sdbus::Error>& error) {
        if (error)
          reply.fail(*error);
        else
          reply();
      });
    });
  });
}

void Manager::Reload(sdbus::Result<std::string>&& result) {
  const Reply<std::string> reply(std::move(result));
  answering(reply, [&] {
    const Caller caller = current_caller(getObject());
    context_.allowed(caller, {actions::kReload}, reply, [this, reply](const Requester& who) {
      context_.service.reload(sending(reply), who);
    });
  });
}

// ---- properties ----

std::string Manager::State() {
  return guarded([&] { return std::string(service::state_name(view().state)); });
}
std::vector<sdbus::Struct<std::string, std::string>> Manager::PolicyFiles() {
  return guarded([&] { return policy_files(view()); });
}
std::string Manager::Problems() {
  return guarded([&] { return utf8(view().problems); });
}
std::string Manager::Kernel() { return kernel_; }
std::string Manager::Era() { return era_; }
std::uint64_t Manager::BlockSize() { return block_size_; }
std::string Manager::HotplugBy() {
  return guarded([&] { return by(view()); });
}
std::string Manager::HotplugWhy() {
  return guarded([&] { return why(view()); });
}
std::map<std::string, std::string> Manager::Switches() {
  return guarded([&] { return switches(view()); });
}
std::map<std::string, std::vector<std::string>> Manager::PendingKernelParameters() {
  return guarded([&] { return pending_parameters(view()); });
}
std::vector<FailingRow> Manager::Failing() {
  return guarded([&] { return failing(view()); });
}
std::vector<std::string> Manager::LeftAlone() {
  return guarded([&] { return left_alone(view()); });
}
std::map<std::string, std::uint64_t> Manager::Counters() {
  return guarded([&] { return counters(view().counters); });
}
sdbus::ObjectPath Manager::ActiveJob() {
  return guarded([&] { return sdbus::ObjectPath(active_job()); });
}
std::string Manager::Version() { return MEMONLINE_VERSION; }

std::string Manager::active_job() const {
  const auto& jobs = context_.service.jobs();
  const auto active = std::find_if(jobs.begin(), jobs.end(), [](const service::Job& job) {
    return job.stage != service::Job::Stage::Done;
  });
  return active == jobs.end() ? "/" : job_path(active->id);
}

void Manager::show(const View& before, const View& now) {
  std::vector<std::string> changed;
  const auto look = [&](const char* name, bool differs) {
    if (differs) changed.emplace_back(name);
  };
  look("State", before.state != now.state);
  look("PolicyFiles", policy_files(before) != policy_files(now));
  look("Problems", before.problems != now.problems);
  look("HotplugBy", by(before) != by(now));
  look("HotplugWhy", why(before) != why(now));
  look("Switches", before.switches != now.switches);
  look("PendingKernelParameters", pending_parameters(before) != pending_parameters(now));
  look("Failing", before.failing != now.failing);
  look("LeftAlone", before.left_alone != now.left_alone);
  look("Counters", before.counters != now.counters);
  if (!changed.empty())
    emit_changed(getObject(), org::memonline1::Manager_adaptor::INTERFACE_NAME, changed);
  show_jobs();
}

std::size_t Manager::size() const {
  const View& now = view();
  return kPlainProperties + wire_size(policy_files(now)) + wire_size(utf8(now.problems)) +
         wire_size(why(now)) + wire_size(switches(now)) + wire_size(pending_parameters(now)) +
         wire_size(failing(now)) + wire_size(left_alone(now)) + wire_size(counters(now.counters));
}

void Manager::show_jobs() {
  if (std::string now = active_job(); now != active_) {
    active_ = std::move(now);
    emit_changed(getObject(), org::memonline1::Manager_adaptor::INTERFACE_NAME, {"ActiveJob"});
  }
}

}  // namespace memonline::bus
