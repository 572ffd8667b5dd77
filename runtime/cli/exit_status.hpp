// SPDX-License-Identifier: LGPL-2.1-or-later
// What the command tells scripts when it ends. The numbers are a contract.
#pragma once

#include <cstdint>

namespace memonline::cli {

enum class ExitStatus : std::uint8_t {
  Done = 0,            ///< done, or nothing to do
  Failure = 1,         ///< the machine, a file or a test said no
  Usage = 2,           ///< the command line or a policy is wrong
  ChangesPending = 3,  ///< `status`, `plan --exit-code`: there are steps, or drift without any
  RebootPending = 4,   ///< only kernel parameters for the next boot are
  Partly = 64,         ///< some of it worked
};

}  // namespace memonline::cli
