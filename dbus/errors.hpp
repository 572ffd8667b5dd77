// SPDX-License-Identifier: LGPL-2.1-or-later
// The names of all errors that clients can meet, in one place.
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
inline constexpr auto kFailed = "org.freedesktop.DBus.Error.Failed";
inline constexpr auto kInvalidArgs = "org.freedesktop.DBus.Error.InvalidArgs";
inline constexpr auto kLimitsExceeded = "org.freedesktop.DBus.Error.LimitsExceeded";
inline constexpr auto kAccessDenied = "org.freedesktop.DBus.Error.AccessDenied";
inline constexpr auto kInteractive = "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired";

sdbus::Error of(const service::Refused& refused);
sdbus::Error invalid_args(const std::string& message);

}  // namespace memonline::bus::errors
