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

/// What the kernel refused. `number` is errno, 0 where the refusal is ours.
struct FileError {
  std::string path;       ///< empty: it is not about a file
  std::string operation;  ///< "open", "read", "write", ...
  int number = 0;
  std::string reason;  ///< the text of errno, or ours

  /// "cannot open `/x`: No such file or directory".
  [[nodiscard]] std::string message() const;
};

/// Nothing that people write by hand is larger.
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
/// takes over. What is no regular file (a pipe, /dev/stdout) is written in place.
Result<std::string, FileError> write_file(const std::string& path, std::string_view text);
/// The same with the mode 0600, whatever the umask is and whatever the mode was before.
Result<std::string, FileError> write_private_file(const std::string& path, std::string_view text);

/// Opens `path` for reading and writing, and makes it where it is not there; a link is refused. The
/// mode is 0600 then, whatever the umask is and whatever it was: who may open a file may lock it,
/// and keep everybody else out. -1 and errno where that fails.
int open_private(const std::string& path);

}  // namespace memonline::runtime
