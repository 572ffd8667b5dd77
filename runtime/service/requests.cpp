// SPDX-License-Identifier: LGPL-2.1-or-later
// What clients ask of the service, but for jobs: plans, another look. A part of service.cpp.
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

/// A plan made for a client, before it is known whether it is asked for.
struct Made {
  PlanAnswer answer;
  std::shared_ptr<const plan::Plan> plan;
};

Made make(Target& target, const PlanWishes& wishes, std::shared_ptr<const ReadyPolicy> policy) {
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
    made.answer.problem = "there is no policy in force";
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
    plan = plan::make_plan(policy->policy, policy->files, *host, sink).plan;
    if (plan && wishes.add) {
      forecast = forecast::make_forecast(policy->policy, policy->files, *host, *wishes.add, sink);
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
  made.plan = std::make_shared<plan::Plan>(std::move(*plan));
  return made;
}

}  // namespace

void Service::check(std::string text, const Answer<std::string>& answer) {
  reader_->post(failing(answer), [text = std::move(text), answer] {
    LoadedPolicy loaded = check_text("<bus>", text);
    std::string json = diag::to_json(loaded.sink.sorted(), loaded.shown);
    return [answer, json = std::move(json)] { answer(json); };
  });
}

void Service::plan(PlanWishes wishes, const Answer<PlanAnswer>& answer) {
  reader_->post(failing(answer), [this, wishes = std::move(wishes), policy = policy_, answer] {
    auto made = std::make_shared<Made>(make(*target_, wishes, policy));
    return [this, made, uid = wishes.uid, answer] {
      if (made->plan) plans_.keep(uid, made->answer.digest, made->plan);
      answer(made->answer);
    };
  });
}

void Service::submit(std::uint32_t uid, std::string document, const Answer<std::string>& answer) {
  reader_->post(failing(answer), [this, uid, document = std::move(document), answer] {
    auto plan = apply::read_plan(document, "<bus>");
    std::string digest = runtime::sha256_of(document);
    std::shared_ptr<const plan::Plan> made;
    Refused wrong{Refused::Why::PlanInvalid, {}};
    if (plan)
      made = std::make_shared<plan::Plan>(std::move(*plan));
    else
      wrong.message = fmt::format("{}: {}", diag::name_of(plan.error().code), plan.error().message);
    return [this, uid, made, wrong, digest = std::move(digest), answer] {
      if (!made) {
        answer(fail(wrong));
        return;
      }
      plans_.keep(uid, digest, made);
      answer(digest);
    };
  });
}

void Service::verify(const Answer<std::shared_ptr<const View>>& answer) {
  reader_->post(failing(answer), [this, policy = policy_, alone = left_alone(),
                                  rounds = rounds_done_, mark = left_alone_.mark(), answer] {
    auto plans = std::make_shared<Plans>(plan_now(*target_, policy.get(), alone));
    return [this, plans, rounds, mark, answer] {
      if (!plans->host) {
        answer(fail(Refused{Refused::Why::Failed, plans->problem}));
        return;
      }
      // A round that has ended meanwhile knows better.
      if (rounds == rounds_done_) {
        if (!round_runs_ && current_job_ == 0) known_ = plans->host;
        publish(*plans, mark);
      }
      answer(view_);
    };
  });
}

void Service::reload(const Answer<std::string>& answer) {
  reader_->post(failing(answer), [this, answer] {
    auto loaded = std::make_shared<LoadedPolicy>(load_policy(sources_));
    return [this, loaded, answer] {
      std::string json = diag::to_json(loaded->sink.sorted(), loaded->shown);
      const bool wrong = loaded->sink.has_errors();
      loaded_ = std::move(*loaded);
      for (const diag::Diagnostic& d : loaded_.sink.all())
        if (d.severity == diag::Severity::Error)
          listener_.say(4, fmt::format("{}: {}", diag::name_of(d.code), d.message), {});
      if (wrong)
        listener_.say(4, "the policies have errors; those in force before stay in force", {});
      else
        policy_ = loaded_.ready;
      want_round(Service::Cause::Reload);
      answer(std::move(json));
    };
  });
}

}  // namespace memonline::service
