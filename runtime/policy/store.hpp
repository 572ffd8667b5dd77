// SPDX-License-Identifier: LGPL-2.1-or-later
// Where policies are looked for: /etc, /run and /usr/lib/memonline/policy.d, with systemd's habits.
// The same file name higher up replaces the lower one, an empty file or a link to /dev/null masks
// it, and files are read in the order of their names whatever directory holds them.
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
  Masks,       ///< empty or a link to /dev/null: takes itself and those below out
  Masked,      ///< taken out by a mask higher up
  Replaced,    ///< a file of the same name higher up is used
  Unreadable,  ///< a dangling link, a FIFO, a directory, no permission: see Store::unreadable
};
std::string_view file_state_name(FileState state);

struct PolicyFile {
  std::string path;  ///< as people see it: root and all
  std::string name;  ///< last component
  FileState state = FileState::Used;
  std::string by;    ///< the path that masks or replaces it
  std::string text;  ///< only of used files
};

struct Store {
  std::vector<PolicyFile> files;         ///< by name, the higher directory first
  std::vector<std::string> directories;  ///< looked at, existing or not
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
