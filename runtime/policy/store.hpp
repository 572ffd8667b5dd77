// SPDX-License-Identifier: LGPL-2.1-or-later
// The search path of policies: /etc, /run and /usr/lib/memonline/policy.d, as in systemd. A file in
// an earlier directory replaces one of the same name in a later one, an empty file or a link to
// /dev/null masks it, and files are read in the order of their names, whatever their directory.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/base/result.hpp"
#include "runtime/base/file.hpp"

namespace memonline::policy {

/// Highest first.
inline constexpr std::array<std::string_view, 3> kPolicyDirectories{
    "/etc/memonline/policy.d", "/run/memonline/policy.d", "/usr/lib/memonline/policy.d"};

enum class FileState : std::uint8_t {
  Used,
  Masks,       ///< empty or a link to /dev/null: masks itself and those below
  Masked,      ///< masked by a file in an earlier directory
  Replaced,    ///< a file of the same name in an earlier directory is used
  Unreadable,  ///< a dangling link, a FIFO, a directory, no permission: see Store::unreadable
};
std::string_view file_state_name(FileState state);

struct PolicyFile {
  std::string path;  ///< as shown, with the root
  std::string name;  ///< last component
  FileState state = FileState::Used;
  std::string by;    ///< the path that masks or replaces it
  std::string text;  ///< only of used files
};

struct Store {
  std::vector<PolicyFile> files;         ///< by name, the higher directory first
  std::vector<std::string> directories;  ///< searched, existing or not
  std::vector<runtime::FileError> unreadable;
  [[nodiscard]] std::vector<const PolicyFile*> used() const;
};

/// True for names that are read: *.mempolicy and *.yaml that do not start with a dot.
bool is_policy_name(std::string_view name);

/// Reads the search path below `root` ("/" or a directory). Directories that do not exist are
/// empty; one that cannot be listed is an error. Files that cannot be read are in `unreadable`, for
/// the caller to report: planning with half of the policies would be worse than not planning.
Result<Store, runtime::FileError> read_store(const std::string& root);

}  // namespace memonline::policy
