// SPDX-License-Identifier: LGPL-2.1-or-later
// What clients ask of the service, and its answers.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "compiler/forecast/forecast.hpp"
#include "compiler/plan/unplug.hpp"
#include "runtime/service/kept_plans.hpp"
#include "runtime/service/worker.hpp"

namespace memonline::service {

/// A request for a plan. At most one of `unplug` and `add`.
struct PlanRequest {
  std::optional<std::string> policy;  ///< text to use instead of the active policy
  bool offline = false;               ///< as if it had `set rezone = allowed`
  std::optional<plan::UnplugRequest> unplug;
  std::optional<forecast::AddRequest> add;
  Requester who;  ///< the plan is kept among this user's
};
struct PlanAnswer {
  std::optional<std::string> document;  ///< as `memonline plan --format json` prints it
  std::string digest;                   ///< "sha256:...", of the document: argument of `apply`
  std::uint64_t steps = 0;
  bool reboot_required = false;
  std::string diagnostics;      ///< schema memonline.diagnostics/1
  std::string problem;          ///< without a document: the reason, a sentence
  bool policy_invalid = false;  ///< the reason is an invalid or missing policy
};
struct ApplyRequest {
  std::shared_ptr<const KeptPlan> plan = {};  ///< null: found by its digest
  std::optional<std::chrono::milliseconds> confirm;
  std::optional<std::chrono::milliseconds> deadline;  ///< for offlining one block
  /// For how long an unplug is tried again whose blocks are in use; not with `confirm`.
  std::optional<std::chrono::milliseconds> retry;
  Requester who;
};
/// The text of a submitted plan, or why it cannot be read. Called in a worker's thread.
using SubmittedPlan = std::function<Result<std::string, std::string>()>;

/// Why a request is refused; nothing was changed.
struct Refused {
  enum class Why : std::uint8_t {
    UnknownPlan,    ///< no recent plan has this digest
    Stale,          ///< the machine has changed since the plan was made
    PolicyInvalid,  ///< the policy has errors
    PlanInvalid,    ///< the submitted text is not a plan
    Busy,           ///< too many jobs are pending
    Nothing,        ///< nothing to undo, confirm or cancel
    Failed,
  };
  Why why = Why::Failed;
  std::string message;
};
template <class T>
using Answer = std::function<void(Result<T, Refused>)>;
/// The same answer if the work for it threw.
template <class T>
Worker::Failed failing(const Answer<T>& answer) {
  return [answer](const std::string& what) { answer(fail(Refused{Refused::Why::Failed, what})); };
}

}  // namespace memonline::service
