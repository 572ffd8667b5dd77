// SPDX-License-Identifier: LGPL-2.1-or-later
// The names of all errors that clients can receive.
#pragma once

#include <string>

#include "dbus/compat.hpp"
#include "runtime/service/service.hpp"

namespace memonline::bus::errors {

inline constexpr auto kPolicyInvalid = "org.memonline1.Error.PolicyInvalid";
inline constexpr auto kPlanInvalid = "org.memonline1.Error.PlanInvalid";
inline constexpr auto kPlanImpossible = "org.memonline1.Error.PlanImpossible";
inline constexpr auto kPlanStale = "org.memonline1.Error.PlanStale";
inline constexpr auto kUnknownPlan = "org.memonline1.Error.UnknownPlan";
inline constexpr auto kUnknownJob = "org.memonline1.Error.UnknownJob";
inline constexpr auto kUnknownBlock = "org.memonline1.Error.UnknownBlock";
inline constexpr auto kBusy = "org.memonline1.Error.Busy";
inline constexpr auto kNothingToDo = "org.memonline1.Error.NothingToDo";
/// A run outside the service is changing memory.
inline constexpr auto kAnotherRun = "org.memonline1.Error.AnotherRun";
/// The bus or polkit did not reply to the service in time.
inline constexpr auto kTimedOut = "org.memonline1.Error.TimedOut";
inline constexpr auto kFailed = "org.freedesktop.DBus.Error.Failed";
inline constexpr auto kInvalidArgs = "org.freedesktop.DBus.Error.InvalidArgs";
inline constexpr auto kLimitsExceeded = "org.freedesktop.DBus.Error.LimitsExceeded";
inline constexpr auto kAccessDenied = "org.freedesktop.DBus.Error.AccessDenied";
inline constexpr auto kInteractive = "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired";

/// With LimitsExceeded, while earlier replies are unread.
inline constexpr auto kUnreadText =
    "too many unread replies to this user or to all users: read them first";

sdbus::Error of(const service::Refused& refused);
/// Why a job failed; empty: it did not.
std::string name_of(service::Job::Failure failure);
sdbus::Error invalid_args(const std::string& message);

}  // namespace memonline::bus::errors
