// SPDX-License-Identifier: LGPL-2.1-or-later
// Small files below /run/memonline with which a service that is started anew takes up where one
// that was killed left: lines of words, and a first one that names the boot they are of.
//
// Programs of other versions, after an upgrade or a downgrade within a boot: a line that is not
// understood is left out, and what it said is not known; a file with another first line says
// nothing. So a line is never given another meaning: it gets another first word.
#pragma once

#include <string>
#include <vector>

#include "runtime/base/file.hpp"

namespace memonline::service {

/// /proc/sys/kernel/random/boot_id.
std::string boot_id();

/// The words of each line; none where the file is missing, too large, or of another boot.
std::vector<std::vector<std::string>> read_kept(const std::string& file, const std::string& boot);

/// In one piece or not at all. `lines` end with newlines; empty: there shall be no file.
Result<std::string, runtime::FileError> write_kept(const std::string& file, const std::string& boot,
                                                   const std::string& lines);

}  // namespace memonline::service
