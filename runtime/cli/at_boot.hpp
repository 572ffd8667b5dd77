// SPDX-License-Identifier: LGPL-2.1-or-later
// `apply --boot`, before anything is opened, waited for or written: whether there is something to
// do as a machine starts.
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

}  // namespace memonline::cli
