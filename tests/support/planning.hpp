// SPDX-License-Identifier: LGPL-2.1-or-later
// Policy text and a host in, a plan out: what most planner tests begin with.
#pragma once

#include <string>

#include "compiler/compile.hpp"

namespace memonline::test {

/// compile() of one policy file named "t.mempolicy".
Compilation plan_for(const model::Host& host, const std::string& policy);

/// The steps, a line each: "online_movable 79..42 Movable", "offline 3 Normal",
/// "set auto_online_blocks=offline".
std::string steps_text(const plan::Plan& plan);

/// The codes of all diagnostics, in order: "ML0502 ML0504".
std::string codes_text(const diag::Sink& sink);

/// Every block with what it is when the plan is done: 'N' kernel zone, 'M' Movable, '.' offline,
/// in address order.
std::string layout_text(const model::Host& host);

}  // namespace memonline::test
