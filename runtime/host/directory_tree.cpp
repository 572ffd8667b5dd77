// SPDX-License-Identifier: LGPL-2.1-or-later
// The tree of a real directory: every path is opened relative to a descriptor that is held, with
// openat2 and no links on the way (Linux 5.6); where that is missing, component by component.
#include <cerrno>
#include <cstring>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/host/tree.hpp"

namespace memonline::runtime {

namespace {

constexpr std::size_t kMaxFileSize = std::size_t{16} << 20U;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }
  int release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }

 private:
  int fd_;
};

/// Opens without following links, one component at a time. Negative: see errno.
int open_by_components(int directory, const char* path, int flags) {
  Descriptor at(-1);
  std::string_view rest(path);
  while (true) {
    const std::size_t slash = rest.find('/');
    const bool last = slash == std::string_view::npos;
    const std::string part(rest.substr(0, slash));
    if (part == "..") {
      errno = EXDEV;
      return -1;
    }
    const int above = at.valid() ? at.get() : directory;
    const int next = ::openat(above, part.empty() ? "." : part.c_str(),
                              (last ? flags : O_PATH | O_DIRECTORY | O_CLOEXEC) | O_NOFOLLOW);
    if (next < 0) return -1;
    if (last) return next;
    at = Descriptor(next);
    rest.remove_prefix(slash + 1);
  }
}

int open_inside(int directory, const char* path, int flags) {
  static const bool have_openat2 = [] {
    open_how how{};
    how.flags = O_PATH | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
    const long fd = ::syscall(SYS_openat2, AT_FDCWD, ".", &how, sizeof how);
    if (fd >= 0) ::close(static_cast<int>(fd));
    return fd >= 0;
  }();
  if (*path == '\0') path = ".";
  if (!have_openat2) return open_by_components(directory, path, flags);
  open_how how{};
  how.flags = static_cast<unsigned>(flags);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  return static_cast<int>(::syscall(SYS_openat2, directory, path, &how, sizeof how));
}

// Not blocking: a captured tree may hold a pipe.
constexpr int kReadFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

class DirectoryTree : public Tree {
 public:
  explicit DirectoryTree(Descriptor directory) : directory_(std::move(directory)) {}

  [[nodiscard]] Result<std::string, Errno> read(const char* path) const override {
    const Descriptor file(open_inside(directory_.get(), path, kReadFlags));
    if (!file.valid()) return fail(Errno{errno});
    std::string text(4096, '\0');
    std::size_t size = 0;
    while (size < kMaxFileSize) {
      if (size == text.size()) text.resize(text.size() * 4);
      const ssize_t got = ::read(file.get(), text.data() + size, text.size() - size);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail(Errno{errno});
      if (got == 0) break;
      size += static_cast<std::size_t>(got);
    }
    text.resize(size);
    return text;
  }

  [[nodiscard]] Result<std::size_t, Errno> read_some(const char* path, char* buffer,
                                                     std::size_t capacity) const override {
    const int file = open_inside(directory_.get(), path, kReadFlags);
    if (file < 0) return fail(Errno{errno});
    ssize_t got = 0;
    do {
      got = ::read(file, buffer, capacity);
    } while (got < 0 && errno == EINTR);
    const int error = errno;
    ::close(file);
    if (got < 0) return fail(Errno{error});
    return static_cast<std::size_t>(got);
  }

  [[nodiscard]] Result<std::size_t, Errno> read_at(const char* path, std::uint64_t offset,
                                                   char* buffer,
                                                   std::size_t capacity) const override {
    const Descriptor file(open_inside(directory_.get(), path, kReadFlags));
    if (!file.valid()) return fail(Errno{errno});
    std::size_t size = 0;
    while (size < capacity) {
      const ssize_t got =
          ::pread(file.get(), buffer + size, capacity - size, static_cast<off_t>(offset + size));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail(Errno{errno});
      if (got == 0) break;
      size += static_cast<std::size_t>(got);
    }
    return size;
  }

  [[nodiscard]] Result<void, Errno> visit(const char* path, const Visitor& name) const override {
    Descriptor file(open_inside(directory_.get(), path, O_RDONLY | O_CLOEXEC | O_DIRECTORY));
    if (!file.valid()) return fail(Errno{errno});
    DIR* stream = ::fdopendir(file.get());
    if (stream == nullptr) return fail(Errno{errno});
    file.release();
    const std::unique_ptr<DIR, int (*)(DIR*)> closing(stream, &::closedir);
    bool some = false;
    for (errno = 0; const dirent* entry = ::readdir(stream); errno = 0) {
      const std::string_view found(entry->d_name);
      if (found == "." || found == "..") continue;
      name(found);
      some = true;
    }
    const int error = errno;
    if (error != 0 && !some) return fail(Errno{error});
    return {};
  }

  [[nodiscard]] Result<std::string, Errno> link(const char* path) const override {
    // The directory that holds the link must itself be reached without links, except where it is
    // named directly (memory12/node0): a link there can only lead to another link's text.
    const std::string_view whole(path);
    const std::size_t slash = whole.rfind('/');
    Descriptor above(-1);
    const char* name = path;
    int from = directory_.get();
    if (slash != std::string_view::npos && whole.find('/') != slash) {
      const std::string parent(whole.substr(0, slash));
      above = Descriptor(
          open_inside(directory_.get(), parent.c_str(), O_PATH | O_CLOEXEC | O_DIRECTORY));
      if (!above.valid()) return fail(Errno{errno});
      from = above.get();
      name = path + slash + 1;
    }
    char text[4096];  // NOLINT(modernize-avoid-c-arrays): what readlinkat fills
    const ssize_t size = ::readlinkat(from, name, text, sizeof text);
    if (size < 0) return fail(Errno{errno});
    return std::string(text, static_cast<std::size_t>(size));
  }

  [[nodiscard]] Result<std::unique_ptr<Tree>, Errno> below(const char* path) const override {
    Descriptor inner(open_inside(directory_.get(), path, O_PATH | O_CLOEXEC | O_DIRECTORY));
    if (!inner.valid()) return fail(Errno{errno});
    return std::unique_ptr<Tree>(std::make_unique<DirectoryTree>(std::move(inner)));
  }

 private:
  Descriptor directory_;
};

}  // namespace

Result<std::unique_ptr<Tree>, Errno> open_directory(const std::string& path) {
  Descriptor directory(::open(path.c_str(), O_PATH | O_CLOEXEC | O_DIRECTORY));
  if (!directory.valid()) return fail(Errno{errno});
  return std::unique_ptr<Tree>(std::make_unique<DirectoryTree>(std::move(directory)));
}

}  // namespace memonline::runtime
