// SPDX-License-Identifier: LGPL-2.1-or-later
// What `apply` is about to do: the plan for this host, made now from policies or read from a file
// and held against the host, with everything there is to say about it.
#pragma once

#include <optional>
#include <string>

#include "compiler/diag/diagnostic.hpp"
#include "compiler/model/host.hpp"
#include "compiler/plan/plan.hpp"
#include "compiler/source/source.hpp"
#include "runtime/apply/journal.hpp"
#include "runtime/cli/command_line.hpp"

namespace memonline::cli {

struct Ready {
  std::optional<plan::Plan> plan;  ///< empty: there is nothing to carry out, see `status`
  std::optional<model::Host> host;
  bool fulfilled = false;   ///< the host is as this plan, made earlier, leaves it
  bool write_boot = false;  ///< `set boot-parameters = write`
  source::SourceSet shown;
  ExitStatus status = ExitStatus::Done;
  [[nodiscard]] std::string fingerprint() const { return plan ? plan->host.fingerprint : ""; }
};

/// `cut_short` is what a killed run left: the plan it was carrying out may be carried on with.
Ready make_ready(const ApplyOptions& options, const std::optional<apply::Journal>& cut_short,
                 diag::Sink& sink);

}  // namespace memonline::cli
