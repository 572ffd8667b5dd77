// SPDX-License-Identifier: LGPL-2.1-or-later
// A tree of files as the kernel shows one below "/": the live machine, a captured directory, an
// archive unpacked in memory, or a map in a test. Paths have no leading slash. Links are data: they
// are never followed, so a captured tree cannot point its reader out of itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/base/result.hpp"

namespace memonline::runtime {

/// What the kernel answered instead: an errno.
struct Errno {
  int value = 0;
  friend bool operator==(Errno, Errno) = default;
};

/// All members may be called by several threads at once.
class Tree {
 public:
  using Visitor = std::function<void(std::string_view)>;

  Tree() = default;
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;
  virtual ~Tree() = default;

  /// The whole file; at most 16 MiB of it.
  [[nodiscard]] virtual Result<std::string, Errno> read(const char* path) const = 0;
  /// The beginning of a file, in one read: for attributes, which are a line. Bytes got.
  [[nodiscard]] virtual Result<std::size_t, Errno> read_some(const char* path, char* buffer,
                                                             std::size_t capacity) const = 0;
  /// Part of a file, from an offset in bytes on. Bytes got: fewer than `capacity` at its end.
  [[nodiscard]] virtual Result<std::size_t, Errno> read_at(const char* path, std::uint64_t offset,
                                                           char* buffer,
                                                           std::size_t capacity) const = 0;
  /// Calls `name` with each name in a directory, in no order, without "." and "..".
  [[nodiscard]] virtual Result<void, Errno> visit(const char* path, const Visitor& name) const = 0;
  /// The text of a symbolic link.
  [[nodiscard]] virtual Result<std::string, Errno> link(const char* path) const = 0;
  /// The tree below a directory, for reading many files there.
  [[nodiscard]] virtual Result<std::unique_ptr<Tree>, Errno> below(const char* path) const = 0;

  /// The names in a directory.
  [[nodiscard]] Result<std::vector<std::string>, Errno> list(const char* path) const;
  /// A file that is a line or a few, as those of /sys are: one read, of at most 4 KiB.
  [[nodiscard]] Result<std::string, Errno> attribute(const char* path) const;
  [[nodiscard]] bool exists(const char* path) const;
};

/// A directory, opened now and held open. A link in the path to the directory itself is followed;
/// none below it is.
Result<std::unique_ptr<Tree>, Errno> open_directory(const std::string& path);

/// A tree held in memory: made of an archive, or by a test.
class MemoryTree : public Tree {
 public:
  /// Adds or replaces; the directories above come by themselves. "./a", "/a" and "a/" mean "a";
  /// a path with ".." in it is ignored.
  void add_file(std::string_view path, std::string content);
  void add_link(std::string_view path, std::string text);
  void add_directory(std::string_view path);
  /// Makes reading a file fail, as the kernel would.
  void add_error(std::string_view path, Errno error);

  [[nodiscard]] Result<std::string, Errno> read(const char* path) const override;
  [[nodiscard]] Result<std::size_t, Errno> read_some(const char* path, char* buffer,
                                                     std::size_t capacity) const override;
  [[nodiscard]] Result<std::size_t, Errno> read_at(const char* path, std::uint64_t offset,
                                                   char* buffer,
                                                   std::size_t capacity) const override;
  [[nodiscard]] Result<void, Errno> visit(const char* path, const Visitor& name) const override;
  [[nodiscard]] Result<std::string, Errno> link(const char* path) const override;
  [[nodiscard]] Result<std::unique_ptr<Tree>, Errno> below(const char* path) const override;

 private:
  struct Entry {
    enum class Kind { Directory, File, Link, Unreadable } kind = Kind::Directory;
    std::string text;
    Errno error;
  };
  using Entries = std::map<std::string, Entry, std::less<>>;
  void add(std::string_view path, Entry entry);
  [[nodiscard]] const Entry* find(std::string_view path) const;

  std::shared_ptr<Entries> entries_ = std::make_shared<Entries>();
  std::string prefix_;  ///< "" or "some/directory/"
};

}  // namespace memonline::runtime
