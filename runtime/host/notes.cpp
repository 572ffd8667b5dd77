// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/host/notes.hpp"

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

namespace memonline::runtime {

std::string errno_text(Errno error) {
  switch (error.value) {
    case EACCES:
    case EPERM: return "permission denied";
    case ENOENT: return "no such file or directory";
    case ENOTDIR: return "not a directory";
    case EISDIR: return "is a directory";
    case ELOOP: return "symbolic link on the path";
    case EIO: return "input/output error";
    case EMFILE:
    case ENFILE: return "too many open files";
    case ENOMEM: return "out of memory";
    default: return fmt::format("error {}", error.value);
  }
}

void Notes::add(std::string_view path, std::string reason) {
  model::Unread note{fmt::format("/{}", path), std::move(reason)};
  if (std::find(notes_.begin(), notes_.end(), note) == notes_.end())
    notes_.push_back(std::move(note));
}

void Notes::failure(std::string_view path, Errno error, std::uint64_t count) {
  if (error.value == ENOENT) return;
  add(path, count < 2 ? errno_text(error)
                      : fmt::format("{} (and {} more like it)", errno_text(error), count - 1));
}

std::string Notes::read(const Tree& tree, const char* path) {
  auto text = tree.read(path);
  if (text) return std::move(*text);
  failure(path, text.error());
  return {};
}

}  // namespace memonline::runtime
