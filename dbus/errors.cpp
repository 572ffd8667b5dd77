// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dbus/errors.hpp"

namespace memonline::bus::errors {

namespace {

const char* name_of(service::Refused::Why why) {
  using Why = service::Refused::Why;
  switch (why) {
    case Why::UnknownPlan: return kUnknownPlan;
    case Why::Stale: return kPlanStale;
    case Why::PolicyInvalid: return kPolicyInvalid;
    case Why::PlanInvalid: return kPlanInvalid;
    case Why::Busy: return kBusy;
    case Why::Nothing: return kNothingToDo;
    case Why::Failed: return kFailed;
  }
  return kFailed;
}

}  // namespace

sdbus::Error of(const service::Refused& refused) {
  return make_error(name_of(refused.why), refused.message);
}

std::string name_of(service::Job::Failure failure) {
  using Failure = service::Job::Failure;
  switch (failure) {
    case Failure::None: return "";
    case Failure::AnotherRun: return kAnotherRun;
    case Failure::NothingToUndo: return kNothingToDo;
    case Failure::Stale: return kPlanStale;
    case Failure::Other: break;
  }
  return kFailed;
}

sdbus::Error invalid_args(const std::string& message) { return make_error(kInvalidArgs, message); }

}  // namespace memonline::bus::errors
