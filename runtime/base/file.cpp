// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/base/file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "compiler/text/printable.hpp"

namespace memonline::runtime {

namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return number_; }
  [[nodiscard]] bool valid() const { return number_ >= 0; }
  /// False if the kernel reports a late error (a full disk may show only here).
  bool close() {
    const int number = std::exchange(number_, -1);
    return number < 0 || ::close(number) == 0;
  }

 private:
  int number_;
};

auto refused(const std::string& path, std::string operation) {
  const int number = errno;
  return fail(FileError{path, std::move(operation), number, std::strerror(number)});
}

Result<std::string, FileError> read_all(int descriptor, const std::string& path) {
  struct stat status {};
  std::string text;
  if (::fstat(descriptor, &status) == 0) {
    if (S_ISDIR(status.st_mode)) {
      errno = EISDIR;
      return refused(path, "read");
    }
    // One byte more than the file has, so that its end is seen without growing.
    if (S_ISREG(status.st_mode) && status.st_size > 0 &&
        static_cast<std::size_t>(status.st_size) < kMaxFileSize)
      text.reserve(static_cast<std::size_t>(status.st_size) + 1);
  }
  for (std::size_t used = 0;;) {
    const std::size_t chunk = std::max<std::size_t>(text.capacity() - used, 4096);
    text.resize(used + chunk);
    const ssize_t got = ::read(descriptor, text.data() + used, chunk);
    if (got < 0) {
      if (errno == EINTR) continue;
      return refused(path, "read");
    }
    used += static_cast<std::size_t>(got);
    text.resize(used);
    if (used > kMaxFileSize)
      return fail(FileError{path, "read", 0, "larger than the limit of 64 MiB"});
    if (got == 0) return text;
  }
}

bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

/// openat2 (Linux 5.6) resolves inside a root; older kernels get the plain join, which differs
/// only for absolute links.
int open_below(const std::string& root, const std::string& path, int flags = O_RDONLY | O_CLOEXEC) {
  if (root.empty() || root == "/") return ::open(path.c_str(), flags);
  const Descriptor directory(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) return -1;
  struct open_how how {};
  how.flags = static_cast<std::uint64_t>(flags);
  how.resolve = RESOLVE_IN_ROOT;
  const long got = ::syscall(SYS_openat2, directory.get(), path.c_str(), &how, sizeof how);
  if (got >= 0 || (errno != ENOSYS && errno != EPERM)) return static_cast<int>(got);
  return ::open((root + path).c_str(), flags);
}

/// As shown in messages.
std::string shown_below(const std::string& root, const std::string& path) {
  const std::size_t slashes = root.find_last_not_of('/');
  return (slashes == std::string::npos ? std::string() : root.substr(0, slashes + 1)) + path;
}

/// Why a file cannot be read without waiting; empty: it can.
std::string not_regular(const struct stat& status, bool is_pipe) {
  if (S_ISREG(status.st_mode) || is_pipe) return {};
  // Reading /dev/null never waits.
  if (S_ISCHR(status.st_mode) && status.st_rdev == ::makedev(1, 3)) return {};
  const char* what = S_ISFIFO(status.st_mode)   ? "a FIFO"
                     : S_ISSOCK(status.st_mode) ? "a socket"
                                                : "a device";
  return fmt::format("expected a regular file, found {}", what);
}

using Opener = std::function<int(int flags)>;

// Opening a FIFO waits for a writer and opening some devices does something: so the file is
// identified by a descriptor that opens nothing first, and checked again when it is open.
Result<std::string, FileError> read_checked(const Opener& open, const std::string& shown,
                                            bool pipes) {
  bool is_pipe = false;
  for (const int flags : {O_PATH | O_CLOEXEC, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC}) {
    const Descriptor file(open(flags));
    struct stat status {};
    struct statfs system {};
    if (!file.valid() || ::fstat(file.get(), &status) != 0) return refused(shown, "open");
    if (S_ISDIR(status.st_mode)) {
      errno = EISDIR;
      return refused(shown, "read");
    }
    // A pipe without a name is not in a file system that people see.
    is_pipe = pipes && S_ISFIFO(status.st_mode) && ::fstatfs(file.get(), &system) == 0 &&
              system.f_type == PIPEFS_MAGIC;
    if (std::string why = not_regular(status, is_pipe); !why.empty())
      return fail(FileError{shown, "read", 0, std::move(why)});
    if ((flags & O_PATH) != 0) continue;
    if (is_pipe && ::fcntl(file.get(), F_SETFL, 0) != 0) return refused(shown, "read");
    return read_all(file.get(), shown);
  }
  return std::string();
}

/// A link on the way to `path` leads nowhere.
bool is_dangling(const std::string& root, const std::string& path) {
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    const Descriptor itself(open_below(root, part, O_PATH | O_NOFOLLOW | O_CLOEXEC));
    const Descriptor target(open_below(root, part, O_PATH | O_CLOEXEC));
    if (itself.valid() && !target.valid()) return true;
    if (!itself.valid() || end == std::string::npos) return false;
  }
}

Result<std::string, FileError> write_with(const std::string& path, std::string_view text,
                                          std::optional<mode_t> wanted) {
  struct stat status {};
  const bool exists = ::stat(path.c_str(), &status) == 0;
  if (exists && !S_ISREG(status.st_mode)) {
    Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!file.valid()) return refused(path, "open");
    if (!write_all(file.get(), text) || !file.close()) return refused(path, "write");
    return path;
  }
  // Through a link the file it leads to is replaced, not the link.
  std::string target = path;
  if (char* resolved = exists ? ::realpath(path.c_str(), nullptr) : nullptr) {
    target = resolved;
    ::free(resolved);  // NOLINT: realpath hands out malloc'ed memory
  }
  // Hidden: programs that read every file of a directory ignore what a killed write leaves.
  const std::size_t slash = target.rfind('/');
  std::string temporary = target + ".XXXXXX";
  temporary.insert(slash == std::string::npos ? 0 : slash + 1, 1, '.');
  Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!file.valid()) return refused(path, "create a temporary file beside");
  // mkostemp gives 0600; a new file gets what the umask allows.
  mode_t mode = wanted.value_or(status.st_mode & 07777U);
  if (!exists && !wanted) {
    const mode_t mask = ::umask(0);
    ::umask(mask);
    mode = 0666U & ~mask;
  }
  if (!write_all(file.get(), text) || ::fchmod(file.get(), mode) != 0 || ::fsync(file.get()) != 0 ||
      !file.close() || ::rename(temporary.c_str(), target.c_str()) != 0) {
    const int number = errno;
    ::unlink(temporary.c_str());
    errno = number;
    return refused(path, "write");
  }
  return path;
}

}  // namespace

std::string FileError::message() const {
  if (path.empty()) return fmt::format("cannot {}: {}", operation, printable(reason));
  return fmt::format("cannot {} `{}`: {}", operation, printable(path), reason);
}

Result<std::string, FileError> read_file(const std::string& path) {
  if (path == "-") return read_all(STDIN_FILENO, "standard input");
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return refused(path, "open");
  return read_all(file.get(), path);
}

Result<std::string, FileError> read_file_below(const std::string& root, const std::string& path) {
  if (root.empty() || root == "/") return read_file(path);
  const std::string shown = shown_below(root, path);
  const Descriptor file(open_below(root, path));
  if (!file.valid()) return refused(shown, "open");
  return read_all(file.get(), shown);
}

Result<std::string, FileError> read_regular_file(const std::string& path) {
  if (path == "-") return read_file(path);
  return read_checked([&](int flags) { return ::open(path.c_str(), flags); }, path, true);
}

Result<std::string, FileError> read_regular_file_below(const std::string& root,
                                                       const std::string& path) {
  return read_checked([&](int flags) { return open_below(root, path, flags); },
                      shown_below(root, path), false);
}

Result<std::vector<std::string>, FileError> list_below(const std::string& root,
                                                       const std::string& path) {
  std::vector<std::string> names;
  const std::string shown = shown_below(root, path);
  const int file = open_below(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) {
    const int number = errno;
    if (number == ENOENT && !is_dangling(root, path)) return names;
    errno = number;
    return refused(shown, "open");
  }
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::fdopendir(file), &::closedir);
  if (!directory) return refused(shown, "read");
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(directory.get());
    if (entry == nullptr) break;
    names.emplace_back(entry->d_name);
  }
  if (errno != 0) return refused(shown, "read");
  return names;
}

Result<std::string, FileError> write_file(const std::string& path, std::string_view text) {
  return write_with(path, text, std::nullopt);
}

Result<std::string, FileError> write_private_file(const std::string& path, std::string_view text) {
  return write_with(path, text, 0600);
}

int open_private(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  struct stat status {};
  if (file < 0 || (::fstat(file, &status) == 0 && (status.st_mode & 07777U) == 0600)) return file;
  if (::fchmod(file, 0600) == 0) return file;
  const int number = errno;
  ::close(file);
  errno = number;
  return -1;
}

}  // namespace memonline::runtime
