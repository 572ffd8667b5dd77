// SPDX-License-Identifier: LGPL-2.1-or-later
// Small files below /run/memonline with which a restarted service continues where a killed one
// stopped: lines of words, the first of which names the boot.
//
// Other versions may read them, after an upgrade or a downgrade without a reboot: they skip lines
// that they do not understand, and ignore a file with another first line. So the meaning of a line
// never changes: a new meaning gets a new first word.
#pragma once

#include <string>
#include <vector>

#include "runtime/base/file.hpp"

namespace memonline::service {

/// /proc/sys/kernel/random/boot_id.
std::string boot_id();

/// The words of each line; none if the file is missing, too large, or of another boot.
std::vector<std::vector<std::string>> read_kept(const std::string& file, const std::string& boot);

/// Writes atomically. `lines` end with newlines; empty: removes the file.
Result<std::string, runtime::FileError> write_kept(const std::string& file, const std::string& boot,
                                                   const std::string& lines);

}  // namespace memonline::service
