// SPDX-License-Identifier: LGPL-2.1-or-later
// The active policy of the service: read, checked, and ready for planning. A policy with errors
// never becomes active; the previous one stays active, and the errors are reported.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "compiler/diag/diagnostic.hpp"
#include "compiler/plan/plan.hpp"
#include "compiler/sema/policy.hpp"
#include "compiler/source/source.hpp"
#include "runtime/policy/load.hpp"

namespace memonline::service {

/// A checked policy with the texts that its spans refer to. Immutable.
struct ReadyPolicy {
  sema::Policy policy;
  source::SourceSet files;
  source::SourceSet shown;
  std::vector<plan::PolicyRef> refs;  ///< each file with its digest
  diag::Sink warnings;
};

/// A policy that was read or submitted: valid (`ready`), invalid (errors in `sink`), or missing
/// (neither).
struct LoadedPolicy {
  std::shared_ptr<const ReadyPolicy> ready;
  diag::Sink sink;
  source::SourceSet shown;
};

LoadedPolicy load_policy(const policy::Sources& sources);
/// Text from the bus, shown as `name`.
LoadedPolicy check_text(const std::string& name, std::string text);

/// `ready` with a rule before all others that leaves these blocks unchanged.
std::shared_ptr<const ReadyPolicy> leaving_alone(const ReadyPolicy& ready,
                                                 const model::BlockSet& blocks);

}  // namespace memonline::service
