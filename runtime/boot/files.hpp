// SPDX-License-Identifier: LGPL-2.1-or-later
// The files of a root that boot loaders read: read, and written so that a crash leaves the old text
// or the new one.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/base/result.hpp"
#include "runtime/base/file.hpp"

namespace memonline::boot {

class Root {
 public:
  explicit Root(std::string path);
  /// "/" or the directory, without a slash at its end.
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] bool is_live() const { return path_ == "/"; }
  /// Paths begin with a slash and are meant below the root.
  [[nodiscard]] std::string full(std::string_view path) const;
  /// The text of a file; empty if it does not exist or cannot be read.
  [[nodiscard]] std::optional<std::string> read(const std::string& path) const;
  [[nodiscard]] bool exists(const std::string& path) const;
  /// Names in a directory, sorted, without those that begin with a dot.
  [[nodiscard]] std::vector<std::string> list(const std::string& path) const;
  /// "/usr/sbin/NAME" or where else the root has the program.
  [[nodiscard]] std::optional<std::string> tool(std::string_view name) const;

  /// Writes `text`, or without one removes the file; synced, the directory too. Refuses what leads
  /// out of the root through a link.
  [[nodiscard]] Result<std::string, runtime::FileError> put(
      const std::string& path, const std::optional<std::string>& text) const;
  /// The directories of `path` that are not there, outermost first.
  [[nodiscard]] std::vector<std::string> missing_directories(const std::string& path) const;
  /// Makes the directories of `path` that are missing; gives those it made, outermost first.
  [[nodiscard]] Result<std::vector<std::string>, runtime::FileError> make_directories(
      const std::string& path) const;
  void remove_directory(const std::string& path) const;

 private:
  [[nodiscard]] bool stays_inside(const std::string& path) const;
  std::string path_;
};

}  // namespace memonline::boot
