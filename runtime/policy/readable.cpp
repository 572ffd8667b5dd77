// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/policy/readable.hpp"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <memory>

#include <sys/stat.h>
#include <sys/xattr.h>

namespace memonline::policy {

namespace {

constexpr unsigned kRead = 4, kSearch = 1;

/// The caller's bits of a file's mode have this one. Links are followed.
bool allows(const std::string& path, const Credentials& caller, unsigned bit) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return false;
  if (status.st_uid == caller.uid) return (status.st_mode >> 6U & bit) != 0;
  // A list has entries for users and groups that the mode does not show.
  if (::getxattr(path.c_str(), "system.posix_acl_access", nullptr, 0) > 0) return false;
  const bool member =
      std::find(caller.groups.begin(), caller.groups.end(), status.st_gid) != caller.groups.end();
  return (status.st_mode >> (member ? 3U : 0U) & bit) != 0;
}

bool may_reach(const std::string& path, const Credentials& caller) {
  for (std::size_t slash = path.find('/'); slash != std::string::npos;
       slash = path.find('/', slash + 1))
    if (!allows(path.substr(0, slash + 1), caller, kSearch)) return false;
  return true;
}

}  // namespace

bool may_read(const std::string& path, const Credentials& caller) {
  if (caller.uid == 0) return true;
  // As it was named, and where links lead.
  const std::unique_ptr<char, void (*)(void*)> resolved(::realpath(path.c_str(), nullptr),
                                                        &std::free);
  return resolved && may_reach(path, caller) && may_reach(resolved.get(), caller) &&
         allows(resolved.get(), caller, kRead);
}

bool everybody_may_read(const std::string& path) {
  // No user has this uid: it means "no change" in chown(2) and setreuid(2).
  return may_read(path, {std::numeric_limits<std::uint32_t>::max(), {}});
}

}  // namespace memonline::policy
