// SPDX-License-Identifier: LGPL-2.1-or-later
// The tree in memory: one ordered map from path to entry, so that a directory's names are
// neighbors.
#include <algorithm>
#include <cerrno>
#include <cstring>

#include "runtime/host/tree.hpp"

namespace memonline::runtime {

namespace {

/// The path without "." and doubled slashes; empty for the root and for what leads upwards.
std::string clean(std::string_view path) {
  std::string result;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
    if (part.empty() || part == ".") continue;
    if (part == "..") return {};
    if (!result.empty()) result += '/';
    result += part;
  }
  return result;
}

}  // namespace

void MemoryTree::add(std::string_view path, Entry entry) {
  const std::string name = clean(path);
  if (name.empty()) return;
  for (std::size_t slash = name.find('/'); slash != std::string::npos;
       slash = name.find('/', slash + 1))
    entries_->try_emplace(prefix_ + name.substr(0, slash));
  const auto [at, fresh] = entries_->try_emplace(prefix_ + name, entry);
  if (!fresh && entry.kind != Entry::Kind::Directory) at->second = std::move(entry);
}

void MemoryTree::add_file(std::string_view path, std::string content) {
  add(path, {Entry::Kind::File, std::move(content), {}});
}
void MemoryTree::add_link(std::string_view path, std::string text) {
  add(path, {Entry::Kind::Link, std::move(text), {}});
}
void MemoryTree::add_directory(std::string_view path) { add(path, {}); }
void MemoryTree::add_error(std::string_view path, Errno error) {
  add(path, {Entry::Kind::Unreadable, {}, error});
}

const MemoryTree::Entry* MemoryTree::find(std::string_view path) const {
  const std::string name = prefix_ + clean(path);
  const auto at = entries_->find(name);
  return at == entries_->end() ? nullptr : &at->second;
}

Result<std::string, Errno> MemoryTree::read(const char* path) const {
  const Entry* entry = find(path);
  if (entry == nullptr) return fail(Errno{ENOENT});
  switch (entry->kind) {
    case Entry::Kind::File: return entry->text;
    case Entry::Kind::Directory: return fail(Errno{EISDIR});
    case Entry::Kind::Link: return fail(Errno{ELOOP});
    case Entry::Kind::Unreadable: return fail(Errno{entry->error});
  }
  return fail(Errno{ENOENT});
}

Result<std::size_t, Errno> MemoryTree::read_some(const char* path, char* buffer,
                                                 std::size_t capacity) const {
  const auto text = read(path);
  if (!text) return fail(Errno{text.error()});
  const std::size_t size = std::min(capacity, text->size());
  std::copy_n(text->data(), size, buffer);
  return size;
}

Result<std::size_t, Errno> MemoryTree::read_at(const char* path, std::uint64_t offset, char* buffer,
                                               std::size_t capacity) const {
  const auto text = read(path);
  if (!text) return fail(Errno{text.error()});
  const auto start = static_cast<std::size_t>(std::min<std::uint64_t>(offset, text->size()));
  const std::size_t size = std::min(capacity, text->size() - start);
  std::copy_n(text->data() + start, size, buffer);
  return size;
}

Result<void, Errno> MemoryTree::visit(const char* path, const Visitor& name) const {
  std::string start = prefix_ + clean(path);
  if (!start.empty() && start.back() != '/') {
    const auto self = entries_->find(start);
    if (self == entries_->end()) return fail(Errno{ENOENT});
    if (self->second.kind == Entry::Kind::Unreadable) return fail(Errno{self->second.error});
    if (self->second.kind != Entry::Kind::Directory) return fail(Errno{ENOTDIR});
    start += '/';
  }
  for (auto at = entries_->lower_bound(start);
       at != entries_->end() && at->first.compare(0, start.size(), start) == 0; ++at)
    if (at->first.find('/', start.size()) == std::string::npos)
      name(std::string_view(at->first).substr(start.size()));
  return {};
}

Result<std::string, Errno> MemoryTree::link(const char* path) const {
  const Entry* entry = find(path);
  if (entry == nullptr) return fail(Errno{ENOENT});
  if (entry->kind != Entry::Kind::Link) return fail(Errno{EINVAL});
  return entry->text;
}

Result<std::unique_ptr<Tree>, Errno> MemoryTree::below(const char* path) const {
  const std::string name = clean(path);
  if (!name.empty()) {
    const Entry* entry = find(name);
    if (entry == nullptr) return fail(Errno{ENOENT});
    if (entry->kind != Entry::Kind::Directory) return fail(Errno{ENOTDIR});
  }
  auto tree = std::make_unique<MemoryTree>();
  tree->entries_ = entries_;
  tree->prefix_ = name.empty() ? prefix_ : prefix_ + name + '/';
  return std::unique_ptr<Tree>(std::move(tree));
}

}  // namespace memonline::runtime
