// SPDX-License-Identifier: LGPL-2.1-or-later
// `memonline.mode=off` on the kernel command line: the way out when a machine does not boot.
#pragma once

#include <string>

namespace memonline::runtime {

/// Whether the kernel below `root` was booted with it; the last such word counts. It only affects
/// automatic actions (`apply --boot`, the service), not commands of a user.
bool switched_off(const std::string& root);

}  // namespace memonline::runtime
