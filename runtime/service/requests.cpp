// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/service/requests.hpp"

#include <utility>

#include <fmt/format.h>

#include "compiler/compile.hpp"
#include "compiler/diag/render.hpp"
#include "compiler/plan/compare.hpp"
#include "compiler/render/plan.hpp"
#include "runtime/apply/plan_file.hpp"
#include "runtime/base/digest.hpp"
#include "runtime/host/contents.hpp"

namespace memonline::service {

namespace {

/// Of which the contents are read for one request: 64 GiB of pages of 4 KiB, about a second.
constexpr std::uint64_t kMaxPagesForCaller = std::uint64_t{16} << 20U;

/// A plan made for a client, with the copy to keep for Apply.
struct Made {
  PlanAnswer answer;
  std::optional<KeptPlan> kept;
};

Refused too_large(std::size_t bytes) {
  return {Refused::Why::PlanInvalid,
          fmt::format("the plan has {} bytes when compressed, limit {} per user", bytes,
                      KeptPlans::kMaxBytesOfOne)};
}

Made make(Target& target, const PlanRequest& request, std::shared_ptr<const ReadyPolicy> policy,
          const Worker::Cancelled& cancelled) {
  Made made;
  const auto end = [&](const diag::Sink& sink, const source::SourceSet& shown) -> Made& {
    made.answer.diagnostics = diag::to_json(sink.sorted(), shown);
    for (const diag::Diagnostic& d : sink.all())
      if (made.answer.problem.empty() && d.severity == diag::Severity::Error)
        made.answer.problem = fmt::format("{}: {}", diag::name_of(d.code), d.message);
    return made;
  };
  if (request.policy) {
    LoadedPolicy loaded = check_text("<bus>", *request.policy);
    made.answer.policy_invalid = !loaded.ready;
    if (!loaded.ready) return end(loaded.sink, loaded.shown);
    policy = loaded.ready;
  }
  if (!policy && !request.unplug) {
    made.answer.problem = "no policy is active";
    made.answer.policy_invalid = true;
    return made;
  }
  if (request.offline && policy) {
    auto changed = std::make_shared<ReadyPolicy>(*policy);
    allow_rezone(changed->policy);
    policy = std::move(changed);
  }
  static const source::SourceSet no_files;
  const source::SourceSet& shown = policy ? policy->shown : no_files;
  diag::Sink sink;
  if (policy) sink.append(policy->warnings);
  auto host = target.read();
  if (!host) {
    made.answer.problem = fmt::format("{}: {}", host.error().path, host.error().message);
    return made;
  }
  // Only root may see the contents of memory.
  if (request.unplug && request.who.uid == 0)
    runtime::read_contents_below(target.root(), plan::blocks_to_judge(*request.unplug, *host),
                                 *host, kMaxPagesForCaller,
                                 [&](std::uint64_t, std::uint64_t) { return !cancelled(); });
  static const sema::Policy no_policy;
  const auto compiled =
      compile(policy ? policy->policy : no_policy, policy ? policy->files : no_files, *host,
              {request.unplug, request.add}, std::move(sink), cancelled);
  const bool impossible = request.add && !compiled.forecast;
  if (!compiled.plan || impossible) return end(compiled.diagnostics, shown);
  const plan::Plan& plan = *compiled.plan;
  made.answer.document =
      render::plan_to_json(plan, compiled.forecast ? &*compiled.forecast : nullptr);
  made.answer.digest = runtime::sha256_of(*made.answer.document);
  made.answer.steps = plan.steps.size();
  made.answer.reboot_required = plan.boot.reboot_required;
  made.answer.diagnostics = diag::to_json(compiled.diagnostics.sorted(), shown);
  made.kept = kept_plan(*made.answer.document, plan);
  return made;
}

}  // namespace

bool Requests::is_idle() const { return reader_.is_idle() && root_reader_.is_idle(); }

void Requests::dispatch() {
  reader_.dispatch();
  root_reader_.dispatch();
}

void Requests::post(const Requester& who, Worker::Failed failed, Worker::Job job) {
  (who.uid == 0 ? root_reader_ : reader_).post(who, std::move(failed), std::move(job));
}

void Requests::drop(const std::string& connection) {
  reader_.drop(connection);
  root_reader_.drop(connection);
}

void Requests::cancel_all() {
  reader_.cancel_all();
  root_reader_.cancel_all();
}

bool Requests::ended_within(std::chrono::milliseconds patience) {
  const bool root = root_reader_.ended_within(patience);
  return reader_.ended_within(patience) && root;
}

void Requests::check(std::string text, const Answer<std::string>& answer, const Requester& who) {
  post(who, failing(answer), [text = std::move(text), answer](const Worker::Cancelled&) {
    LoadedPolicy loaded = check_text("<bus>", text);
    std::string json = diag::to_json(loaded.sink.sorted(), loaded.shown);
    return [answer, json = std::move(json)] { answer(json); };
  });
}

void Requests::plan(PlanRequest request, std::shared_ptr<const ReadyPolicy> policy,
                    const Answer<PlanAnswer>& answer) {
  const Requester who = request.who;
  post(who, failing(answer),
       [this, request = std::move(request), policy = std::move(policy),
        answer](const Worker::Cancelled& cancelled) -> Worker::Done {
         auto made = std::make_shared<Made>(make(target_, request, policy, cancelled));
         if (cancelled()) return [answer] { answer(fail(took_too_long())); };
         return [this, made, uid = request.who.uid, answer] {
           if (made->kept) plans_.keep(uid, made->answer.digest, std::move(*made->kept));
           answer(made->answer);
         };
       });
}

void Requests::submit(const Requester& who, SubmittedPlan plan_text,
                      const Answer<std::string>& answer) {
  post(who, failing(answer),
       [this, uid = who.uid, plan_text = std::move(plan_text),
        answer](const Worker::Cancelled&) -> Worker::Done {
         const auto text = plan_text();
         if (!text)
           return [answer, why = text.error()] {
             answer(fail(Refused{Refused::Why::PlanInvalid, why}));
           };
         const auto plan = apply::read_plan(*text, "<bus>");
         if (!plan) {
           Refused wrong{
               Refused::Why::PlanInvalid,
               fmt::format("{}: {}", diag::name_of(plan.error().code), plan.error().message)};
           return [answer, wrong = std::move(wrong)] { answer(fail(wrong)); };
         }
         auto kept = std::make_shared<std::optional<KeptPlan>>(kept_plan(*text, *plan));
         return [this, uid, kept, digest = runtime::sha256_of(*text), answer] {
           if (!*kept) {
             answer(fail(Refused{Refused::Why::Failed, "zlib (libz.so.1) is not installed"}));
             return;
           }
           const std::size_t bytes = (*kept)->bytes();
           if (plans_.keep(uid, digest, std::move(**kept)))
             answer(digest);
           else
             answer(fail(too_large(bytes)));
         };
       });
}

void Requests::read_plan(const std::shared_ptr<const KeptPlan>& kept, const Requester& who,
                         const Answer<std::shared_ptr<const plan::Plan>>& answer) {
  post(who, failing(answer), [this, kept, answer](const Worker::Cancelled&) -> Worker::Done {
    const auto refuse = [&answer](Refused::Why why, const std::string& problem) {
      return [answer, why, problem] { answer(fail(Refused{why, problem})); };
    };
    auto read = plan_in(*kept);
    if (!read) return refuse(Refused::Why::Failed, read.error());
    const auto host = target_.read();
    if (!host) return refuse(Refused::Why::Failed, host.error().message);
    const auto plan = std::make_shared<const plan::Plan>(std::move(*read));
    if (const auto comparison = plan::compare(*plan, *host);
        !comparison.same && !comparison.fulfilled) {
      std::string problem = "the machine has changed since this plan was made";
      for (const std::string& line : comparison.lines) problem += "\n" + line;
      return refuse(Refused::Why::Stale, problem);
    }
    return [plan, answer] { answer(plan); };
  });
}

Refused took_too_long() {
  return {Refused::Why::Failed,
          fmt::format("planning was cancelled: it took longer than {} seconds, or the service is "
                      "stopping",
                      Worker::kMaxTime.count())};
}

}  // namespace memonline::service
