// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/base/file.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "compiler/base/printable.hpp"

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
      return fail(FileError{path, "read", 0, "it is larger than 64 MiB: no policy, and no plan"});
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
int open_below(const std::string& root, const std::string& path) {
  const Descriptor directory(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) return -1;
  struct open_how how {};
  how.flags = O_RDONLY | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT;
  const long got = ::syscall(SYS_openat2, directory.get(), path.c_str(), &how, sizeof how);
  if (got >= 0 || (errno != ENOSYS && errno != EPERM)) return static_cast<int>(got);
  return ::open((root + path).c_str(), O_RDONLY | O_CLOEXEC);
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
  const std::string shown = (root.back() == '/' ? root.substr(0, root.size() - 1) : root) + path;
  const Descriptor file(open_below(root, path));
  if (!file.valid()) return refused(shown, "open");
  return read_all(file.get(), shown);
}

Result<std::string, FileError> write_file(const std::string& path, std::string_view text) {
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
  // Hidden: what a kill leaves is read by nobody who takes every file of a directory.
  const std::size_t slash = target.rfind('/');
  std::string temporary = target + ".XXXXXX";
  temporary.insert(slash == std::string::npos ? 0 : slash + 1, 1, '.');
  Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!file.valid()) return refused(path, "create a file beside");
  // mkostemp gives 0600; a new file gets what the umask allows.
  mode_t mode = status.st_mode & 07777U;
  if (!exists) {
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

}  // namespace memonline::runtime
