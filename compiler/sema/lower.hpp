// SPDX-License-Identifier: LGPL-2.1-or-later
// From the syntax tree to the checked policy: each word gets its meaning, each number its unit.
// A statement with an error is reported and skipped; checking continues, so that one run reports
// all mistakes.
#pragma once

#include <optional>
#include <vector>

#include "compiler/diag/diagnostic.hpp"
#include "compiler/sema/policy.hpp"
#include "compiler/syntax/ast.hpp"

namespace memonline::sema {

std::vector<Statement> lower(const std::vector<ast::Statement>& statements, diag::Sink& sink);

/// lower_selector.cpp
std::optional<Selector> lower_selector(const ast::Selector& node, diag::Sink& sink);
/// lower_rule.cpp
std::optional<Rule> lower_rule(const ast::Rule& node, diag::Sink& sink);
/// lower_setting.cpp
std::optional<Limit> lower_limit(const ast::Limit& node, diag::Sink& sink);
std::optional<Setting> lower_setting(const ast::Setting& node, diag::Sink& sink);
/// lower_when.cpp: fact, test, values and span; the branches are left empty
std::optional<When> lower_condition(const ast::Condition& node, diag::Sink& sink);

}  // namespace memonline::sema
