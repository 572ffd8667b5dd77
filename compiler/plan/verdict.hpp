// SPDX-License-Identifier: LGPL-2.1-or-later
// Whether a host is as its policy says, what is left to do when a plan is carried out, and what
// would help. One function for `plan`, `status` and `apply`, so that they agree.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/model/host.hpp"
#include "compiler/plan/plan.hpp"

namespace memonline::plan {

/// A policy that is a limit alone selects no block and is judged all the same (`has_limits`).
enum class Limits : std::uint8_t { None, Written };
Judgement judge(const model::Host& host, const Plan& plan, Limits limits);

/// The judgement after the steps of the plan.
Judgement when_done(Judgement judgement);

/// Callers without a plan use "no-policy" and the like: nothing-judged, drift, reboot-pending,
/// partly-judged, as-desired.
std::string_view verdict_name(Verdict verdict);
std::string_view remaining_kind_name(Remaining::Kind kind);

/// Of a plan without steps, on one line: whether all is as the policy says, else that nothing can
/// be done now, and how much differs.
std::string verdict_line(const Plan& plan);
/// The remaining differences, one line each, without line ends: amount, location, reason, remedy.
std::vector<std::string> remaining_lines(const Judgement& judgement);

}  // namespace memonline::plan
