// SPDX-License-Identifier: LGPL-2.1-or-later
// The exit status of the command. Scripts rely on the numbers.
#pragma once

#include <cstdint>

namespace memonline::cli {

enum class ExitStatus : std::uint8_t {
  Done = 0,            ///< done, or nothing to do
  Failure = 1,         ///< the machine, a file or a test failed
  Usage = 2,           ///< the command line or a policy is invalid
  ChangesPending = 3,  ///< `status`, `plan --exit-code`: there are steps, or drift without any
  RebootPending = 4,   ///< only kernel parameters for the next boot are
  Partly = 64,         ///< partial success
};

}  // namespace memonline::cli
