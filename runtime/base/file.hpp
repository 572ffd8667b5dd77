// SPDX-License-Identifier: LGPL-2.1-or-later
// Whole files in and out: policies are read with a bound, results are written so that a reader
// sees the old file or the new one and never half of it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/base/result.hpp"

namespace memonline::runtime {

/// A failed operation. `number` is errno, 0 if memonline itself refused it.
struct FileError {
  std::string path;       ///< empty: not about a file
  std::string operation;  ///< "open", "read", "write", ...
  int number = 0;
  std::string reason;  ///< the text of errno, or ours

  /// "cannot open `/x`: No such file or directory".
  [[nodiscard]] std::string message() const;
};

/// No file that people write by hand is larger.
inline constexpr std::size_t kMaxFileSize = std::size_t{64} << 20U;

/// All bytes of a regular file, a pipe or a device; an error beyond kMaxFileSize. `path` "-" is
/// standard input.
Result<std::string, FileError> read_file(const std::string& path);

/// The same for `path` (absolute) below the directory `root`: links, also absolute ones, are
/// followed inside of it.
Result<std::string, FileError> read_file_below(const std::string& root, const std::string& path);

/// The same for a file that another person may have put there: a FIFO, a socket, a device or a
/// directory is an error, and reading never waits. /dev/null is an empty file. A pipe without a
/// name, as the shell's `<(command)` passes it, is read to its end.
Result<std::string, FileError> read_regular_file(const std::string& path);
Result<std::string, FileError> read_regular_file_below(const std::string& root,
                                                       const std::string& path);

/// The names in the directory `path` (absolute) below `root`, in no order; none where it does not
/// exist. A link that leads nowhere, to it or on the way to it, is an error, and so is a list that
/// ends early.
Result<std::vector<std::string>, FileError> list_below(const std::string& root,
                                                       const std::string& path);

/// Writes a temporary file beside `path`, syncs it and renames it over `path`, whose permissions it
/// takes over. A file that is not regular (a pipe, /dev/stdout) is written in place.
Result<std::string, FileError> write_file(const std::string& path, std::string_view text);
/// The same with the mode 0600, whatever the umask is and whatever the mode was before.
Result<std::string, FileError> write_private_file(const std::string& path, std::string_view text);

/// Opens `path` for reading and writing, and creates it if it does not exist; a link is refused.
/// The mode is then 0600, whatever the umask and the mode before: a user who can open a file can
/// lock it, and block all others. -1 and errno on failure.
int open_private(const std::string& path);

}  // namespace memonline::runtime
