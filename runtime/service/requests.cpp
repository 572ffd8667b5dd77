// SPDX-License-Identifier: LGPL-2.1-or-later
// Requests of clients except jobs: plans, rescans, reloads. A part of service.cpp.
#include <utility>

#include <fmt/format.h>

#include "compiler/diag/render.hpp"
#include "compiler/plan/planner.hpp"
#include "compiler/render/plan.hpp"
#include "runtime/apply/plan_file.hpp"
#include "runtime/base/digest.hpp"
#include "runtime/service/service.hpp"

namespace memonline::service {

namespace {

/// A plan made for a client, with the copy to keep for Apply.
struct Made {
  PlanAnswer answer;
  std::optional<KeptPlan> kept;
};

Refused too_large(std::size_t bytes) {
  return {Refused::Why::PlanInvalid,
          fmt::format("the plan has {} bytes when compressed, limit {} per user", bytes,
                      KeptPlans::kMostBytesOfOne)};
}

auto took_too_long() {
  return fail(Refused{Refused::Why::Failed,
                      fmt::format("planning was cancelled: it took longer than {} seconds, or the "
                                  "service is stopping",
                                  Worker::kLongest.count())});
}

Made make(Target& target, const PlanWishes& wishes, std::shared_ptr<const ReadyPolicy> policy,
          const Worker::Cancelled& cancelled) {
  Made made;
  const auto end = [&](const diag::Sink& sink, const source::SourceSet& shown) -> Made& {
    made.answer.diagnostics = diag::to_json(sink.sorted(), shown);
    for (const diag::Diagnostic& d : sink.all())
      if (made.answer.problem.empty() && d.severity == diag::Severity::Error)
        made.answer.problem = fmt::format("{}: {}", diag::name_of(d.code), d.message);
    return made;
  };
  if (wishes.policy) {
    LoadedPolicy loaded = check_text("<bus>", *wishes.policy);
    made.answer.policy_invalid = !loaded.ready;
    if (!loaded.ready) return end(loaded.sink, loaded.shown);
    policy = loaded.ready;
  }
  if (!policy && !wishes.unplug) {
    made.answer.problem = "no policy is active";
    made.answer.policy_invalid = true;
    return made;
  }
  if (wishes.offline && policy) {
    auto changed = std::make_shared<ReadyPolicy>(*policy);
    changed->policy.statements.emplace_back(sema::Setting{sema::Rezone::Allowed, {}});
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
  std::optional<plan::Plan> plan;
  std::optional<forecast::Forecast> forecast;
  if (wishes.unplug) {
    plan = plan::plan_unplug(*wishes.unplug, *host, sink);
  } else {
    Work work(plan::kMaxPlanWork, cancelled);
    plan = plan::make_plan(policy->policy, policy->files, *host, sink, work).plan;
    if (plan && wishes.add && !cancelled()) {
      forecast = forecast::make_forecast(policy->policy, policy->files, *host, *wishes.add, sink,
                                         cancelled);
      if (!forecast) return end(sink, shown);
      plan::place_diagnostics(*plan, sink, policy->files);
    }
  }
  if (!plan) return end(sink, shown);
  made.answer.document = render::plan_to_json(*plan, forecast ? &*forecast : nullptr);
  made.answer.digest = runtime::sha256_of(*made.answer.document);
  made.answer.steps = plan->steps.size();
  made.answer.reboot_required = plan->boot.reboot_required;
  made.answer.diagnostics = diag::to_json(sink.sorted(), shown);
  made.kept = kept_plan(*made.answer.document, *plan);
  return made;
}

}  // namespace

void Service::check(std::string text, const Answer<std::string>& answer, const Requester& who) {
  reader_of(who).post(who, failing(answer),
                      [text = std::move(text), answer](const Worker::Cancelled&) {
                        LoadedPolicy loaded = check_text("<bus>", text);
                        std::string json = diag::to_json(loaded.sink.sorted(), loaded.shown);
                        return [answer, json = std::move(json)] { answer(json); };
                      });
}

void Service::plan(PlanWishes wishes, const Answer<PlanAnswer>& answer) {
  const Requester who = wishes.who;
  reader_of(who).post(who, failing(answer),
                      [this, wishes = std::move(wishes), policy = policy_,
                       answer](const Worker::Cancelled& cancelled) -> Worker::Done {
                        auto made =
                            std::make_shared<Made>(make(*target_, wishes, policy, cancelled));
                        if (cancelled()) return [answer] { answer(took_too_long()); };
                        return [this, made, uid = wishes.who.uid, answer] {
                          if (made->kept)
                            plans_.keep(uid, made->answer.digest, std::move(*made->kept));
                          answer(made->answer);
                        };
                      });
}

std::shared_ptr<const KeptPlan> Service::kept(const std::string& digest) const {
  return plans_.find(digest);
}

void Service::submit(const Requester& who, Document document, const Answer<std::string>& answer) {
  reader_of(who).post(
      who, failing(answer),
      [this, uid = who.uid, document = std::move(document),
       answer](const Worker::Cancelled&) -> Worker::Done {
        const auto text = document();
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

void Service::verify(const Answer<std::shared_ptr<const View>>& answer, const Requester& who) {
  reader_of(who).post(
      who, failing(answer),
      [this, policy = policy_, alone = left_alone(), rounds = rounds_done_,
       mark = left_alone_.mark(), answer](const Worker::Cancelled& cancelled) -> Worker::Done {
        const auto read_at = std::chrono::steady_clock::now();
        auto plans =
            std::make_shared<Plans>(plan_now(*target_, policy.get(), alone, {}, cancelled));
        if (cancelled()) return [answer] { answer(took_too_long()); };
        return [this, plans, rounds, mark, read_at, answer] {
          if (!plans->host) {
            answer(fail(Refused{Refused::Why::Failed, plans->problem}));
            return;
          }
          // A round that has ended meanwhile has newer data, and so has the other reader if it read
          // the host later.
          if (rounds == rounds_done_ && read_at >= verified_at_) {
            verified_at_ = read_at;
            if (!round_runs_ && current_job_ == 0) known_ = plans->host;
            publish(*plans, mark);
          }
          answer(view_);
        };
      });
}

void Service::forget(const std::string& connection) {
  reader_->drop(connection);
  root_reader_->drop(connection);
}

void Service::reload(const Answer<std::string>& answer, const Requester& who) {
  reader_of(who).post(who, failing(answer), [this, answer](const Worker::Cancelled&) {
    auto loaded = std::make_shared<LoadedPolicy>(load_policy(sources_));
    return [this, loaded, answer] {
      std::string json = diag::to_json(loaded->sink.sorted(), loaded->shown);
      const bool wrong = loaded->sink.has_errors();
      loaded_ = std::move(*loaded);
      for (const diag::Diagnostic& d : loaded_.sink.all())
        if (d.severity == diag::Severity::Error)
          listener_.say(4, fmt::format("{}: {}", diag::name_of(d.code), d.message), {});
      if (wrong)
        listener_.say(4, "the policies have errors; the previous ones stay active", {});
      else
        policy_ = loaded_.ready;
      want_round(Service::Cause::Reload);
      answer(std::move(json));
    };
  });
}

}  // namespace memonline::service
