// SPDX-License-Identifier: LGPL-2.1-or-later
// Steps 4 and 5 of planning: the mechanism that onlines hot-added memory. The kernel's own settings
// are used if they mean exactly what the policy requires, otherwise the service. If a driver or the
// platform relies on the kernel to online memory, the kernel onlines it first, with online_movable,
// and the service corrects it ("corrected").
#pragma once

#include <optional>

#include "compiler/diag/diagnostic.hpp"
#include "compiler/model/host.hpp"
#include "compiler/plan/plan.hpp"
#include "compiler/sema/policy.hpp"

namespace memonline::plan {

/// The rules for future hot-added memory: which kernel settings have the same effect, or which rule
/// prevents that. `knobs` has the values of the settings; empty if the policy does not select
/// hot-added memory.
HotplugPart lower(const sema::FlatPolicy& policy, const source::SourceSet& files,
                  const model::Host& host, diag::Sink& sink);

/// `lowered` where the service runs: it onlines whole devices in Movable in a fraction of the
/// kernel's time, from the top down (tests/vm/hotplug_bench), and as safely. Not if the policy has
/// `hotplug = kernel`, nor where something relies on the kernel's setting
/// (setting_users.hpp).
HotplugPart defer_conflicting(HotplugPart lowered, const sema::FlatPolicy& policy,
                              const model::Host& host);

/// The one target all blocks of the rule get, if there is one: a first share that asks for the
/// whole group, or `rest` alone.
std::optional<sema::Target> uniform_target(const sema::Rule& rule);

/// The rule reference of a span: label, line, column and the words themselves.
RuleRef rule_ref(const source::SourceSet& files, const source::SourceSpan& span);

}  // namespace memonline::plan
