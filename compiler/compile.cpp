// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/compile.hpp"

namespace memonline {

Compilation compile(const source::SourceSet& files, const model::Host& host) {
  Compilation result;
  const auto policy = sema::analyse(files, result.diagnostics);
  if (!policy) return result;
  plan::Planned planned = plan::make_plan(*policy, files, host, result.diagnostics);
  result.plan = std::move(planned.plan);
  result.outcome = std::move(planned.outcome);
  return result;
}

}  // namespace memonline
