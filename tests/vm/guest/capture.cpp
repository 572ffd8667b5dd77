// SPDX-License-Identifier: LGPL-2.1-or-later
// Writes files below / as a tar to standard output: files of /sys and /proc, whose sizes stat does
// not know, read whole. Names come as arguments, directories with all below them, links as links;
// what cannot be read is left out.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

std::set<std::string> written;  // directories that have their entry already

void put_octal(char* field, std::size_t size, unsigned long value) {
  std::snprintf(field, size, "%0*lo", static_cast<int>(size) - 1, value);
}

// One ustar header (POSIX.1-1988) and the content, padded to whole blocks of 512 bytes.
bool put_entry(const std::string& name, char type, const std::string& content,
               const std::string& target) {
  char header[512] = {};
  std::size_t split = 0;
  if (name.size() > 100) {
    split = name.find('/', name.size() - 100);
    if (split == std::string::npos || split > 155) return false;
    std::memcpy(header + 345, name.data(), split);
    ++split;
  }
  if (target.size() > 100) return false;
  std::memcpy(header, name.data() + split, name.size() - split);
  put_octal(header + 100, 8, type == '5' ? 0755 : 0644);
  put_octal(header + 108, 8, 0);
  put_octal(header + 116, 8, 0);
  put_octal(header + 124, 12, content.size());
  put_octal(header + 136, 12, 0);
  header[156] = type;
  std::memcpy(header + 157, target.data(), target.size());
  std::memcpy(header + 257, "ustar\00000", 8);
  std::memset(header + 148, ' ', 8);
  unsigned long sum = 0;
  for (const char byte : header) sum += static_cast<unsigned char>(byte);
  std::snprintf(header + 148, 8, "%06lo", sum);
  std::fwrite(header, 1, sizeof header, stdout);
  std::fwrite(content.data(), 1, content.size(), stdout);
  const std::string padding((512 - content.size() % 512) % 512, '\0');
  std::fwrite(padding.data(), 1, padding.size(), stdout);
  return true;
}

void put_parents(const std::string& path) {
  for (std::size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1)) {
    const std::string directory = path.substr(1, at);
    if (written.insert(directory).second) put_entry(directory, '5', "", "");
  }
}

void put_file(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (file < 0) return;
  std::string content;
  char buffer[65536];
  ssize_t got = 0;
  while ((got = read(file, buffer, sizeof buffer)) > 0) {
    content.append(buffer, static_cast<std::size_t>(got));
  }
  close(file);
  if (got == 0) put_entry(path.substr(1), '0', content, "");
}

void put(const std::string& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) return;
  put_parents(path);
  if (S_ISLNK(status.st_mode)) {
    char target[4096];
    const ssize_t size = readlink(path.c_str(), target, sizeof target);
    if (size > 0) put_entry(path.substr(1), '2', "", {target, static_cast<std::size_t>(size)});
  } else if (S_ISREG(status.st_mode)) {
    put_file(path);
  } else if (S_ISDIR(status.st_mode)) {
    if (written.insert(path.substr(1) + '/').second) put_entry(path.substr(1) + '/', '5', "", "");
    std::vector<std::string> names;
    if (DIR* directory = opendir(path.c_str())) {
      while (const dirent* entry = readdir(directory)) names.emplace_back(entry->d_name);
      closedir(directory);
    }
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) {
      if (name != "." && name != ".." && name != "power") put(path + '/' + name);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  for (int index = 1; index < argc; ++index) put(argv[index]);
  const std::string end(1024, '\0');
  std::fwrite(end.data(), 1, end.size(), stdout);
  return std::fflush(stdout) == 0 ? 0 : 1;
}
