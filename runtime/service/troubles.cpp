// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/service/troubles.hpp"

#include <utility>

namespace memonline::service {

std::vector<Failing> failing_in(const std::vector<apply::Report>& reports) {
  std::vector<Failing> failing;
  if (reports.empty()) return failing;
  for (const apply::StepReport& step : reports.back().steps)
    for (const apply::Finding& finding : step.findings) {
      const apply::Outcome outcome = finding.result.outcome;
      if (outcome == apply::Outcome::Done || outcome == apply::Outcome::Already ||
          outcome == apply::Outcome::Vanished)
        continue;
      failing.push_back({finding.blocks, finding.result.error, finding.text, step.rule});
    }
  return failing;
}

void Troubles::wrote(std::vector<Failing> failing, std::string problem, bool anew, Time now) {
  // A round that failed before its writes has tried no block.
  if (problem.empty() || !failing.empty()) failing_ = std::move(failing);
  unwritten_ = std::move(problem);
  if (unwritten_.empty()) unlooked_.clear();
  if (anew || !any()) backoff_.reset();
  retry_at_.reset();
  if (any()) retry_at_ = now + backoff_.next();
}

void Troubles::looked(std::string problem, Time now) {
  unlooked_ = std::move(problem);
  if (!any()) backoff_.reset();
  if (!unlooked_.empty() && !retry_at_) retry_at_ = now + backoff_.next();
  if (!any()) retry_at_.reset();
}

void Troubles::trying(bool writes) {
  if (writes || !is_written()) retry_at_.reset();
}

}  // namespace memonline::service
