// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/cli/privilege.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace memonline::cli {

namespace {

bool is_this_machine(const std::string& root) {
  struct stat there {};
  struct stat live {};
  return ::stat(root.c_str(), &there) == 0 && ::stat("/", &live) == 0 &&
         there.st_dev == live.st_dev && there.st_ino == live.st_ino;
}

/// Root, or a service with the capability to write root's files.
bool may_write() {
  return ::geteuid() == 0 || ::faccessat(AT_FDCWD, "/run", W_OK, AT_EACCESS) == 0;
}

}  // namespace

bool lacks_root(std::string_view command, const std::string& root, diag::Sink& sink) {
  if (!is_this_machine(root) || may_write()) return false;
  sink.add(diag::Code::CannotChange, std::nullopt,
           fmt::format("`memonline {}` changes this machine and needs root", command))
      .help = fmt::format("run it as root, for example with `sudo memonline {}`", command);
  return true;
}

}  // namespace memonline::cli
