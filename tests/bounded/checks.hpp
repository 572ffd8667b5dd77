// SPDX-License-Identifier: LGPL-2.1-or-later
// Plans for one policy and one host, and checks each promise on the result.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "compiler/compile.hpp"
#include "tests/bounded/hosts.hpp"

namespace memonline::bounded {

struct Counts {
  std::uint64_t cases = 0;
  std::uint64_t refused = 0;   ///< the policy is an error: no plan
  std::uint64_t no_order = 0;  ///< before Linux 4.14: no order of writes is legal (ML0506)
  std::uint64_t resting = 0;   ///< a limit: nothing to do, by another way of counting
  std::uint64_t counterexamples = 0;
  Counts& operator+=(const Counts& other);
};

/// A policy, analysed once for all hosts.
class CheckedPolicy {
 public:
  explicit CheckedPolicy(const Policy& policy);
  /// The first promise that does not hold, and the evidence.
  std::optional<std::string> check(const BoundedHost& host, Counts& counts) const;

 private:
  std::optional<std::string> check_refused(const BoundedHost& host, Counts& counts) const;

  const Policy& policy_;
  std::string text_;
  source::SourceSet files_;
  diag::Sink diagnostics_;
  std::optional<sema::Policy> checked_;
};

}  // namespace memonline::bounded
