// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/apply/unconfirmed.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace memonline::apply {

using runtime::FileError;
using Which = RunDirectory::Which;

Result<std::unique_ptr<Unconfirmed>, FileError> Unconfirmed::of(const RunDirectory& directory) {
  auto journal = directory.read(Which::Running);
  if (!journal) return fail(journal.error());
  const std::string path = directory.file(Which::Running);
  if (!*journal) return fail(FileError{path, "read", ENOENT, std::strerror(ENOENT)});
  const int lock = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (lock < 0 || ::flock(lock, LOCK_EX | LOCK_NB) != 0 ||
      ::rename(path.c_str(), directory.file(Which::Unconfirmed).c_str()) != 0) {
    const int number = errno;
    if (lock >= 0) ::close(lock);
    return fail(FileError{path, "set aside", number, std::strerror(number)});
  }
  return std::unique_ptr<Unconfirmed>(
      new Unconfirmed(directory.path(), std::move(**journal), lock));
}

Unconfirmed::~Unconfirmed() { ::close(lock_); }

bool Unconfirmed::is_confirmed() const { return confirmed_in(path_, journal_.run); }

Result<std::string, FileError> Unconfirmed::keep() const {
  auto kept = becomes_last(path_, path_ + "/unconfirmed");
  if (kept) forget_word(path_, journal_.run);
  return kept;
}

}  // namespace memonline::apply
