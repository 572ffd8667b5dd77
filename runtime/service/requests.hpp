// SPDX-License-Identifier: LGPL-2.1-or-later
// Requests of clients that change nothing: checking policies, making plans, reading submitted ones.
// Two threads read for them, so that root does not wait for requests of ordinary users.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "runtime/service/policy_in_force.hpp"
#include "runtime/service/request.hpp"
#include "runtime/service/target.hpp"

namespace memonline::service {

/// The answer if making a plan was cancelled.
Refused took_too_long();

class Requests {
 public:
  explicit Requests(Target& target) : target_(target) {}

  /// Schema memonline.diagnostics/1.
  void check(std::string text, const Answer<std::string>& answer, const Requester& who);
  /// `policy`: the active one, or null.
  void plan(PlanRequest request, std::shared_ptr<const ReadyPolicy> policy,
            const Answer<PlanAnswer>& answer);
  /// Keeps a plan that was made elsewhere; answers with its digest.
  void submit(const Requester& who, SubmittedPlan plan_text, const Answer<std::string>& answer);
  /// The plan, if the machine has not changed since it was made.
  void read_plan(const std::shared_ptr<const KeptPlan>& kept, const Requester& who,
                 const Answer<std::shared_ptr<const plan::Plan>>& answer);

  /// Other work that only reads.
  void post(const Requester& who, Worker::Failed failed, Worker::Job job);
  /// Drops the requests of a connection.
  void drop(const std::string& connection);

  [[nodiscard]] KeptPlans& plans() { return plans_; }
  [[nodiscard]] const KeptPlans& plans() const { return plans_; }
  [[nodiscard]] int reader_fd() const { return reader_.fd(); }
  [[nodiscard]] int root_reader_fd() const { return root_reader_.fd(); }
  /// Answers the requests that are done.
  void dispatch();
  [[nodiscard]] bool is_idle() const;
  void cancel_all();
  /// False if a request is still being processed after `patience`.
  bool ended_within(std::chrono::milliseconds patience);

 private:
  Target& target_;
  KeptPlans plans_;
  /// Last: destroyed first.
  Worker reader_, root_reader_;
};

}  // namespace memonline::service
