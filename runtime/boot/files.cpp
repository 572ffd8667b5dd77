// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/boot/files.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace memonline::boot {

namespace {

using runtime::FileError;

auto refused(const std::string& path, std::string operation) {
  const int number = errno;
  return fail(FileError{path, std::move(operation), number, std::strerror(number)});
}

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string resolved(const std::string& path) {
  char* text = ::realpath(path.c_str(), nullptr);
  if (text == nullptr) return {};
  std::string result = text;
  ::free(text);  // NOLINT: realpath hands out malloc'ed memory
  return result;
}

bool sync_directory(const std::string& path) {
  const int directory = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return false;
  const bool synced = ::fsync(directory) == 0;
  return ::close(directory) == 0 && synced;
}

/// Removes temporary files beside `target` that a killed write (base/file.cpp) left.
void remove_half_written(const std::string& target) {
  const std::string directory = directory_of(target);
  const std::string head = "." + target.substr(target.rfind('/') + 1) + ".";
  DIR* open = ::opendir(directory.c_str());
  if (open == nullptr) return;
  while (const dirent* entry = ::readdir(open)) {
    const std::string_view name = entry->d_name;
    if (name.size() == head.size() + 6 && name.substr(0, head.size()) == head)
      ::unlinkat(::dirfd(open), entry->d_name, 0);
  }
  ::closedir(open);
}

}  // namespace

Root::Root(std::string path) : path_(std::move(path)) {
  while (path_.size() > 1 && path_.back() == '/') path_.pop_back();
  if (path_.empty()) path_ = "/";
}

std::string Root::full(std::string_view path) const {
  return (is_live() ? std::string() : path_) + std::string(path);
}

std::optional<std::string> Root::read(const std::string& path) const {
  auto text = runtime::read_file_below(path_, path);
  if (!text) return std::nullopt;
  return std::move(*text);
}

bool Root::exists(const std::string& path) const {
  // A link may lead to a path that exists only inside the root.
  struct stat status {};
  return ::lstat(full(path).c_str(), &status) == 0;
}

std::vector<std::string> Root::list(const std::string& path) const {
  std::vector<std::string> names;
  DIR* directory = ::opendir(full(path).c_str());
  if (directory == nullptr) return names;
  while (const dirent* entry = ::readdir(directory))
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  ::closedir(directory);
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<std::string> Root::tool(std::string_view name) const {
  for (const char* directory : {"/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/"}) {
    const std::string path = directory + std::string(name);
    if (exists(path)) return path;
  }
  return std::nullopt;
}

bool Root::stays_inside(const std::string& path) const {
  if (is_live()) return true;
  struct stat status {};
  if (::lstat(full(path).c_str(), &status) == 0 && S_ISLNK(status.st_mode)) return false;
  const std::string root = resolved(path_);
  const std::string directory = resolved(directory_of(full(path)));
  return directory == root || directory.rfind(root + "/", 0) == 0;
}

Result<std::string, FileError> Root::put(const std::string& path,
                                         const std::optional<std::string>& text) const {
  const std::string target = full(path);
  if (!stays_inside(path))
    return fail(FileError{target, "write", 0, "a symbolic link may lead out of the sysroot"});
  remove_half_written(target);
  if (text) {
    if (auto written = runtime::write_file(target, *text); !written) return written;
  } else if (::unlink(target.c_str()) != 0 && errno != ENOENT) {
    return refused(target, "remove");
  }
  if (!sync_directory(directory_of(target))) return refused(directory_of(target), "sync");
  return target;
}

std::vector<std::string> Root::missing_directories(const std::string& path) const {
  std::vector<std::string> missing;
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1))
    if (std::string directory = path.substr(0, slash); !exists(directory))
      missing.push_back(std::move(directory));
  return missing;
}

Result<std::vector<std::string>, FileError> Root::make_directories(const std::string& path) const {
  std::vector<std::string> made = missing_directories(path);
  for (const std::string& directory : made) {
    if (!stays_inside(directory))
      return fail(
          FileError{full(directory), "create", 0, "a symbolic link may lead out of the sysroot"});
    if (::mkdir(full(directory).c_str(), 0755) != 0) return refused(full(directory), "create");
  }
  return made;
}

void Root::remove_directory(const std::string& path) const {
  // A directory that is not empty has files of others by now, and stays.
  if (stays_inside(path)) ::rmdir(full(path).c_str());
}

}  // namespace memonline::boot
