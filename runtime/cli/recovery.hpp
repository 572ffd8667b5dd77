// SPDX-License-Identifier: LGPL-2.1-or-later
// What `apply --recover` would restore, for a dry run: the journals of a killed run beside the
// kernel settings as they are. Writes nothing, and takes no lock.
#pragma once

#include <string>
#include <vector>

#include "compiler/base/result.hpp"
#include "runtime/base/file.hpp"

namespace memonline::cli {

/// A sentence for each, without a period; one that says so if there is nothing to recover.
Result<std::vector<std::string>, runtime::FileError> would_recover(const std::string& root);

}  // namespace memonline::cli
