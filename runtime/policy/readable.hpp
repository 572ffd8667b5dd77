// SPDX-License-Identifier: LGPL-2.1-or-later
// Whether a caller may read a file: the service must not pass on the text of a file that the caller
// could not read itself.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace memonline::policy {

/// The identity of a caller, which the bus has from the kernel.
struct Credentials {
  std::uint32_t uid = 0;
  std::vector<std::uint32_t> groups;  ///< all of them; none where the bus does not know
};

/// By the owners and modes of the file, as it is now, and of the directories above it. Access that
/// only an access control list allows is denied, and only root may read a file that does not exist.
bool may_read(const std::string& path, const Credentials& caller);

/// Every user may, by the same rules.
bool everybody_may_read(const std::string& path);

}  // namespace memonline::policy
