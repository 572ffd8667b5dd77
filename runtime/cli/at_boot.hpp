// SPDX-License-Identifier: LGPL-2.1-or-later
// `apply --boot`: checks whether there is anything to do, before anything is opened or written.
#pragma once

#include <string>

#include "compiler/diag/diagnostic.hpp"
#include "compiler/source/source.hpp"
#include "runtime/cli/command_line.hpp"

namespace memonline::cli {

struct AtBoot {
  std::string nothing;      ///< why there is nothing to do; empty: there may be
  diag::Sink problems;      ///< errors of the policies: then nothing is done
  source::SourceSet shown;  ///< the files that `problems` point into
};
AtBoot look_at_boot(const Where& where);

}  // namespace memonline::cli
