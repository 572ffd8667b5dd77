// SPDX-License-Identifier: LGPL-2.1-or-later
// The result of `memonline status` as a value: memory, where it drifts from the policy, and what
// could not be judged. Rendered for people (text) and for programs (JSON, YAML).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/plan/drift.hpp"
#include "runtime/cli/boot_outcome.hpp"
#include "runtime/cli/inputs.hpp"

namespace memonline::cli {

enum class Verdict : std::uint8_t {
  NoPolicy,
  PolicyError,    ///< the policy does not compile
  NoPlan,         ///< planning failed on this host
  NothingJudged,  ///< there is a plan, and no block that could be compared with the policy
  Drift,
  RebootPending,
  PartlyJudged,  ///< all that could be compared is as desired
  AsDesired,
};
std::string_view verdict_name(Verdict verdict);

struct StatusReport {
  const Compiled& compiled;  ///< with a host
  BootOutcome boot;
  std::vector<plan::StatusRun> runs;
  std::vector<plan::CompetingAgent> agents;
  plan::Judged judged;
  Verdict verdict = Verdict::NoPolicy;
  std::size_t steps = 0;
  bool reboot = false;

  /// False: the drift of a block is unknown, not absent.
  [[nodiscard]] bool drift_known() const {
    return verdict != Verdict::PolicyError && verdict != Verdict::NoPlan;
  }
};

/// `compiled` must outlive the report, and its plan must have been made if there is a policy.
StatusReport make_status(const Compiled& compiled, BootOutcome boot);

std::string status_to_text(const StatusReport& status, bool colored);
/// Schema memonline.status/1, with all diagnostics.
std::string status_to_json(const StatusReport& status);
std::string status_to_yaml(const StatusReport& status);

}  // namespace memonline::cli
