// SPDX-License-Identifier: LGPL-2.1-or-later
// Whole files in and out: policies are read with a bound, results are written so that a reader
// sees the old file or the new one and never half of it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

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

/// Writes a temporary file beside `path`, syncs it and renames it over `path`, whose permissions it
/// takes over. What is no regular file (a pipe, /dev/stdout) is written in place.
Result<std::string, FileError> write_file(const std::string& path, std::string_view text);

}  // namespace memonline::runtime
