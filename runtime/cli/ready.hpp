// SPDX-License-Identifier: LGPL-2.1-or-later
// The plan that `apply` is to carry out on this host: made now from policies, or read from a file
// and compared with the host, with all diagnostics about it. `apply --boot` first checks whether
// there is anything to do, before anything is opened or written.
#pragma once

#include <optional>
#include <string>

#include "compiler/diag/diagnostic.hpp"
#include "compiler/model/host.hpp"
#include "compiler/plan/plan.hpp"
#include "compiler/source/source.hpp"
#include "runtime/apply/journal.hpp"
#include "runtime/cli/output.hpp"

namespace memonline::cli {

struct ApplyOptions;
struct Where;

/// `apply --boot`: what is known before a plan is made.
struct AtBoot {
  std::string nothing;      ///< why there is nothing to do; empty: there may be
  diag::Sink problems;      ///< errors of the policies: then nothing is done
  source::SourceSet shown;  ///< the files that `problems` point into
};
AtBoot check_at_boot(const Where& where);

struct Ready {
  std::optional<plan::Plan> plan;  ///< empty: nothing to carry out, see `status`
  std::optional<model::Host> host;
  bool fulfilled = false;   ///< the host is already as this earlier plan leaves it
  bool write_boot = false;  ///< `set boot-parameters = write`
  source::SourceSet shown;
  ExitStatus status = ExitStatus::Done;
  [[nodiscard]] std::string fingerprint() const { return plan ? plan->host.fingerprint : ""; }
};

/// `cut_short`: the journal of a killed run, whose plan may be continued.
Ready make_ready(const ApplyOptions& options, const std::optional<apply::Journal>& cut_short,
                 diag::Sink& sink);

}  // namespace memonline::cli
