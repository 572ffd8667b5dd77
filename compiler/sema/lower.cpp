// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/sema/lower.hpp"

#include <utility>

#include "compiler/base/overloaded.hpp"
#include "compiler/sema/words.hpp"
#include "compiler/syntax/parse.hpp"

namespace memonline::sema {

namespace {

/// `else when` becomes one When in `otherwise` of the one before it. A condition with errors
/// counts as valid: its branches are checked, too.
When lower_when(const ast::When& node, diag::Sink& sink) {
  std::vector<When> chain;
  std::vector<Statement> otherwise;
  for (const ast::Branch& branch : node.branches) {
    if (sink.errors() >= syntax::kMaxErrors) break;
    if (branch.else_keyword) require_lower_case(branch.else_keyword, sink);
    if (branch.condition.keyword) {
      chain.push_back(lower_condition(branch.condition, sink).value_or(When{}));
      chain.back().then = lower(branch.statements, sink);
    } else {
      otherwise = lower(branch.statements, sink);
    }
  }
  if (chain.empty()) return {};
  for (; chain.size() > 1; chain.pop_back()) {
    chain.back().otherwise = std::move(otherwise);
    otherwise.clear();
    otherwise.emplace_back(std::move(chain.back()));
  }
  chain.front().otherwise = std::move(otherwise);
  return std::move(chain.front());
}

}  // namespace

std::vector<Statement> lower(const std::vector<ast::Statement>& statements, diag::Sink& sink) {
  std::vector<Statement> result;
  result.reserve(statements.size());
  const auto keep = [&](auto lowered) {
    if (lowered) result.emplace_back(std::move(*lowered));
  };
  for (const ast::Statement& statement : statements) {
    if (sink.errors() >= syntax::kMaxErrors) break;
    std::visit(
        overloaded{[&](const ast::Rule& node) { keep(lower_rule(node, sink)); },
                   [&](const ast::Limit& node) { keep(lower_limit(node, sink)); },
                   [&](const ast::Setting& node) { keep(lower_setting(node, sink)); },
                   [&](const ast::When& node) { result.emplace_back(lower_when(node, sink)); }},
        statement);
  }
  return result;
}

}  // namespace memonline::sema
