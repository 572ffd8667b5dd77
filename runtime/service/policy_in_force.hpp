// SPDX-License-Identifier: LGPL-2.1-or-later
// The policy that the service acts by: read, checked, and kept ready. A policy with a mistake
// never comes into force; the one before stays, and what is wrong is there to be seen.
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

/// A checked policy with the texts that its places refer to. Never changed once made.
struct ReadyPolicy {
  sema::Policy policy;
  source::SourceSet files;
  source::SourceSet shown;
  std::vector<plan::PolicyRef> refs;  ///< each file with its digest
  diag::Sink warnings;
};

/// A policy read or given, in one of three conditions: right (`ready`), wrong (errors in `sink`),
/// or none at all (neither).
struct LoadedPolicy {
  std::shared_ptr<const ReadyPolicy> ready;
  diag::Sink sink;
  source::SourceSet shown;
};

LoadedPolicy load_policy(const policy::Sources& sources);
/// Text that came over the bus, shown as `name`.
LoadedPolicy check_text(const std::string& name, std::string text);

/// `ready` with a rule in front of all others that keeps these blocks as they are.
std::shared_ptr<const ReadyPolicy> leaving_alone(const ReadyPolicy& ready,
                                                 const model::BlockSet& blocks);

}  // namespace memonline::service
