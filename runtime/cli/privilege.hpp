// SPDX-License-Identifier: LGPL-2.1-or-later
// Commands that write to this machine need root. Checked before anything is read, so that the first
// message is not about a file that an ordinary user cannot open.
#pragma once

#include <string>
#include <string_view>

#include "compiler/diag/diagnostic.hpp"

namespace memonline::cli {

/// True if `root` is this machine and the caller may not write to it; then ML0760 is in `sink`.
/// `command` is without the program's name: "boot apply". The rights to a tree below another
/// directory are those of its files.
bool lacks_root(std::string_view command, const std::string& root, diag::Sink& sink);

}  // namespace memonline::cli
