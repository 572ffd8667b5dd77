// SPDX-License-Identifier: LGPL-2.1-or-later
// Runs one test of a policy package: plans the policy for the test's host and holds the result
// against what the test expects.
#pragma once

#include <string>
#include <vector>

#include "compiler/diag/diagnostic.hpp"
#include "runtime/policy/package.hpp"

namespace memonline::policy {

struct TestResult {
  std::vector<std::string> mismatches;  ///< lines for people; none: passed
  diag::Sink diagnostics;               ///< of the plan; they point into {package.policy}
  [[nodiscard]] bool passed() const { return mismatches.empty(); }
};

/// `directory` is where paths of hosts start: the package's own.
TestResult run_test(const Package& package, const PackageTest& test, const std::string& directory);

}  // namespace memonline::policy
