// SPDX-License-Identifier: LGPL-2.1-or-later
// Step 5 of planning: who onlines memory that is yet to come. The strongest mechanism that means
// exactly what the policy says is taken: the kernel's own switches, else the service. Where
// something relies on the kernel to online memory, the kernel goes first, with online_movable, and
// the service corrects it ("corrected").
#pragma once

#include <optional>

#include "compiler/diag/diagnostic.hpp"
#include "compiler/model/host.hpp"
#include "compiler/plan/plan.hpp"
#include "compiler/sema/policy.hpp"

namespace memonline::plan {

/// The rules as they meet memory nobody has seen yet: which switches make the kernel do the same,
/// or which rule prevents that. `knobs` holds what the switches should say; empty where the policy
/// says nothing of new memory.
HotplugPart lower(const sema::FlatPolicy& policy, const source::SourceSet& files,
                  const model::Host& host, diag::Sink& sink);

/// What `lowered` is where the service runs: whole devices that are to be Movable it brings online
/// in a fraction of the kernel's time, from the top (tests/vm/hotplug_bench), and as safely. Not
/// where the policy says `hotplug = kernel`, nor where something relies on the kernel's setting
/// (setting_users.hpp).
HotplugPart give_way(HotplugPart lowered, const sema::FlatPolicy& policy, const model::Host& host);

/// The one target all blocks of the rule get, if there is one: a first share that asks for the
/// whole group, or `rest` alone.
std::optional<sema::Target> uniform_target(const sema::Rule& rule);

/// The rule reference of a span: label, line, column and the words themselves.
RuleRef rule_ref(const source::SourceSet& files, const source::SourceSpan& span);

}  // namespace memonline::plan
