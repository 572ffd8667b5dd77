// SPDX-License-Identifier: LGPL-2.1-or-later
// The front door: policy text and a host in, a plan and diagnostics out.
#pragma once

#include "compiler/diag/diagnostic.hpp"
#include "compiler/model/host.hpp"
#include "compiler/plan/planner.hpp"
#include "compiler/sema/analyse.hpp"
#include "compiler/source/source.hpp"

namespace memonline {

struct Compilation {
  std::optional<plan::Plan> plan;
  model::Host outcome;  ///< meaningful if there is a plan
  diag::Sink diagnostics;
};

Compilation compile(const source::SourceSet& files, const model::Host& host);

}  // namespace memonline
