// SPDX-License-Identifier: LGPL-2.1-or-later
// What every tree can do by the few things that each does in its own way.
#include "runtime/host/tree.hpp"

#include <array>
#include <cerrno>

namespace memonline::runtime {

Result<std::vector<std::string>, Errno> Tree::list(const char* path) const {
  std::vector<std::string> names;
  const auto listed = visit(path, [&](std::string_view name) { names.emplace_back(name); });
  if (!listed) return fail(Errno{listed.error()});
  return names;
}

Result<std::string, Errno> Tree::attribute(const char* path) const {
  std::array<char, 4096> text{};
  const auto size = read_some(path, text.data(), text.size());
  if (!size) return fail(Errno{size.error()});
  return std::string(text.data(), *size);
}

bool Tree::exists(const char* path) const {
  char byte = 0;
  const auto got = read_some(path, &byte, 1);
  return got || got.error().value != ENOENT;
}

}  // namespace memonline::runtime
