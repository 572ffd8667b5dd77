// SPDX-License-Identifier: LGPL-2.1-or-later
// What could not be read: the same failure of many files is one note, which names the first file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/model/host.hpp"
#include "runtime/host/tree.hpp"

namespace memonline::runtime {

/// "permission denied": an errno in words that do not depend on the locale.
std::string errno_text(Errno error);

class Notes {
 public:
  /// `path` as in the tree, without a leading slash.
  void add(std::string_view path, std::string reason);
  /// The reason is the errno's; a missing file is not a failure.
  void failure(std::string_view path, Errno error, std::uint64_t count = 1);
  /// The content, or "" with a note.
  std::string read(const Tree& tree, const char* path);
  [[nodiscard]] std::vector<model::Unread> take() { return std::move(notes_); }

 private:
  std::vector<model::Unread> notes_;
};

}  // namespace memonline::runtime
