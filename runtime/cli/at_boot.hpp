// SPDX-License-Identifier: LGPL-2.1-or-later
// `apply --boot`, before anything is opened, waited for or written: whether there is something to
// do as a machine starts, and what is left alone in it.
#pragma once

#include <string>

#include "compiler/diag/diagnostic.hpp"
#include "compiler/source/source.hpp"
#include "runtime/cli/command_line.hpp"

namespace memonline::cli {

struct AtBoot {
  std::string nothing;      ///< why there is nothing to do; empty: there may be
  diag::Sink problems;      ///< errors of the policies: then nothing is done
  source::SourceSet shown;  ///< what `problems` point into
};
AtBoot look_at_boot(const Where& where);

/// A rule for the blocks that a user took offline, as memonlined has written it down in
/// /run/memonline/left-alone: keep them as they are. Empty where there are none. A unit that is
/// started again on a running machine must not bring back what is about to be unplugged.
std::string rule_for_left_alone(const std::string& root);

}  // namespace memonline::cli
