// SPDX-License-Identifier: LGPL-2.1-or-later
// A plan as people and programs want it. Every rendering gives the same bytes for the same plan.
#pragma once

#include <string>
#include <string_view>

#include "compiler/forecast/forecast.hpp"
#include "compiler/model/host.hpp"
#include "compiler/plan/plan.hpp"

namespace memonline::render {

/// The plan on a screen: nodes as they are, the steps as a table, nodes as they will be.
/// Diagnostics are not in it; they are printed beside it.
std::string plan_to_text(const plan::Plan& plan, const model::Host& before);
/// The differences from the policy that the plan leaves, one line each; for a plan without steps
/// the verdict first. Empty if there are none.
std::string remaining_to_text(const plan::Plan& plan);
/// When all steps are done: the verdict, and what remains. Empty where only a reboot does.
std::string remaining_when_done(const plan::Plan& plan);
/// The competing onlining agents, one line each.
std::string agents_to_text(const std::vector<plan::CompetingAgent>& agents);
/// The audit artifact, schema memonline.plan/1.
/// A forecast is a member beside those of the plan.
std::string plan_to_json(const plan::Plan& plan, const forecast::Forecast* forecast = nullptr);
/// The same document as YAML.
std::string plan_to_yaml(const plan::Plan& plan, const forecast::Forecast* forecast = nullptr);
/// Whether it fits, the numbers, the remedies, then the new memory run by run.
std::string forecast_to_text(const forecast::Forecast& forecast, const model::Host& before);
/// A commented script that carries the plan out with nothing but `sh`, checks each zone, and stops
/// at the first that is not as predicted.
std::string plan_to_shell(const plan::Plan& plan);

/// One step in the words that tests of policy packages use: "online_movable 79..42", "offline 7",
/// "set auto_online_blocks=offline".
std::string step_text(const plan::Step& step);

}  // namespace memonline::render
