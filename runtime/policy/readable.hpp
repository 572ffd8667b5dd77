// SPDX-License-Identifier: LGPL-2.1-or-later
// Whether a caller may read a file: the service must not pass on the text of one that the file
// system keeps from it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace memonline::policy {

/// Who a caller is, as the bus knows from the kernel.
struct Credentials {
  std::uint32_t uid = 0;
  std::vector<std::uint32_t> groups;  ///< all of them; none where the bus does not know
};

/// By the owners and modes of the file, as it is now, and of the directories on the way to it. What
/// only an access control list may allow is not allowed, and a file that is gone is root's.
bool may_read(const std::string& path, const Credentials& caller);

/// Every user may, by the same rules.
bool everybody_may_read(const std::string& path);

}  // namespace memonline::policy
