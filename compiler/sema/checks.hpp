// SPDX-License-Identifier: LGPL-2.1-or-later
// Checks of a valid policy for statements without effect. One file each. All are warnings, and need
// no host.
#pragma once

#include <cstddef>

#include "compiler/diag/diagnostic.hpp"
#include "compiler/sema/policy.hpp"

namespace memonline::sema {

/// A check stops after this many warnings: more of the same do not help.
inline constexpr std::size_t kMaxWarnings = 100;

/// Unreachable rules, and classes that no block can have together.
void check_reach(const Policy& policy, const source::SourceSet& files, diag::Sink& sink);
/// Shares that can never get a block.
void check_shares(const Policy& policy, const source::SourceSet& files, diag::Sink& sink);
/// Settings that a later one overrides, and limits beside a tighter one, in the same file.
void check_settings(const Policy& policy, const source::SourceSet& files, diag::Sink& sink);
/// Conditions that are always or never true in their context.
void check_conditions(const Policy& policy, const source::SourceSet& files, diag::Sink& sink);

/// Values that no host has of a fact whose words are known.
void check_words(const Policy& policy, const source::SourceSet& files, diag::Sink& sink);

/// Visits every rule, in and out of `when`, in the order written.
template <class Visit>
void for_each_rule(const std::vector<Statement>& statements, const Visit& visit) {
  for (const Statement& statement : statements) {
    if (const auto* rule = std::get_if<Rule>(&statement)) visit(*rule);
    if (const auto* when = std::get_if<When>(&statement)) {
      for_each_rule(when->then, visit);
      for_each_rule(when->otherwise, visit);
    }
  }
}

}  // namespace memonline::sema
