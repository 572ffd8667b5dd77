// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/host/passed_iomem.hpp"

#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace memonline::runtime {

namespace {

constexpr std::string_view kPath = "proc/iomem";

// The whole name cannot be compared: below a private /proc, the path of the old one is cut short.
bool is_passed_iomem() {
  struct statfs where {};
  if (::fstatfs(STDIN_FILENO, &where) != 0 || where.f_type != PROC_SUPER_MAGIC) return false;
  std::array<char, 256> name{};
  const ssize_t size = ::readlink("/proc/self/fd/0", name.data(), name.size());
  const std::string_view text(name.data(), size < 0 ? 0 : static_cast<std::size_t>(size));
  constexpr std::string_view kEnd = "/iomem";
  return text.size() >= kEnd.size() && text.substr(text.size() - kEnd.size()) == kEnd;
}

Result<std::string, Errno> read_standard_input() {
  std::string text;
  std::array<char, 4096> part{};
  for (;;) {
    const ssize_t got =
        ::pread(STDIN_FILENO, part.data(), part.size(), static_cast<off_t>(text.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(Errno{errno});
    if (got == 0) return text;
    text.append(part.data(), static_cast<std::size_t>(got));
  }
}

class WithHandedOver final : public Tree {
 public:
  explicit WithHandedOver(std::unique_ptr<Tree> tree) : tree_(std::move(tree)) {}
  [[nodiscard]] Result<std::string, Errno> read(const char* path) const override {
    return path == kPath ? read_standard_input() : tree_->read(path);
  }
  [[nodiscard]] Result<std::size_t, Errno> read_some(const char* path, char* buffer,
                                                     std::size_t capacity) const override {
    return tree_->read_some(path, buffer, capacity);
  }
  [[nodiscard]] Result<std::size_t, Errno> read_at(const char* path, std::uint64_t offset,
                                                   char* buffer,
                                                   std::size_t capacity) const override {
    return tree_->read_at(path, offset, buffer, capacity);
  }
  [[nodiscard]] Result<void, Errno> visit(const char* path, const Visitor& name) const override {
    return tree_->visit(path, name);
  }
  [[nodiscard]] Result<std::string, Errno> link(const char* path) const override {
    return tree_->link(path);
  }
  [[nodiscard]] Result<std::unique_ptr<Tree>, Errno> below(const char* path) const override {
    return tree_->below(path);
  }

 private:
  std::unique_ptr<Tree> tree_;
};

}  // namespace

std::unique_ptr<Tree> with_passed_iomem(std::unique_ptr<Tree> tree) {
  if (!is_passed_iomem()) return tree;
  return std::make_unique<WithHandedOver>(std::move(tree));
}

}  // namespace memonline::runtime
