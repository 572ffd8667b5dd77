// SPDX-License-Identifier: LGPL-2.1-or-later
// Competing onlining agents: what else onlines memory on a host, and whether that is what a plan
// means. The plan names them; `report_agents` makes diagnostics of them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/diag/diagnostic.hpp"
#include "compiler/model/host.hpp"
#include "compiler/plan/plan.hpp"
#include "compiler/source/source.hpp"

namespace memonline::plan {

/// udev's first, in the order that udev reads its files, then the kernel's, then daxctl's.
std::vector<CompetingAgent> competing_agents(const model::Host& host, const Plan* plan);
/// Without a plan, or where its policy does not select hot-added memory, the kernel's setting is
/// listed, but does not compete: it needs no remedy and causes no diagnostic.
bool competes(const CompetingAgent& agent);

/// "udev-rule", "kernel-setting", ...
std::string_view agent_kind_name(CompetingAgent::Kind kind);
/// "/usr/lib/udev/rules.d/40-redhat.rules:7:61"
std::string agent_place(const CompetingAgent& agent);
/// The place and what it does, on one line.
std::string agent_line(const CompetingAgent& agent);

/// Marks agents that the plan itself ends.
enum class Settled : std::uint8_t { Unsaid, Note };
/// Warnings ML0750 to ML0755, or errors if `strict`. Their lines are added to `files`, which the
/// places in `sink` refer to.
void report_agents(const std::vector<CompetingAgent>& agents, bool strict, Settled settled,
                   source::SourceSet& files, diag::Sink& sink);

}  // namespace memonline::plan
