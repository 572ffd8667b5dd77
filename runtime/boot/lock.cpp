// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/boot/lock.hpp"

#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include "runtime/base/file.hpp"

namespace memonline::boot {

namespace {

constexpr std::chrono::milliseconds kPause{50};

int open_lock(const Root& root) {
  if (!root.is_live()) return ::open(root.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (auto made = root.make_directories(kLockPath); !made) return -1;
  return runtime::open_private(kLockPath);
}

}  // namespace

std::optional<Lock> Lock::take(const Root& root, std::chrono::milliseconds patience,
                               diag::Sink& sink) {
  const int file = open_lock(root);
  if (file < 0) {
    sink.add(diag::Code::BootUnwritable, std::nullopt,
             fmt::format("cannot lock `{}`: {}", root.is_live() ? kLockPath : root.path(),
                         std::strerror(errno)));
    return std::nullopt;
  }
  Lock lock(file);
  const auto end = std::chrono::steady_clock::now() + patience;
  while (::flock(file, LOCK_EX | LOCK_NB) != 0) {
    if (std::chrono::steady_clock::now() >= end) {
      sink.add(diag::Code::BootBusy, std::nullopt,
               fmt::format("another run is changing the kernel parameters of `{}`", root.path()))
          .help = "wait for it to finish, then try again";
      return std::nullopt;
    }
    std::this_thread::sleep_for(kPause);
  }
  return lock;
}

Lock::Lock(Lock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}

Lock& Lock::operator=(Lock&& other) noexcept {
  std::swap(file_, other.file_);
  return *this;
}

Lock::~Lock() {
  if (file_ >= 0) ::close(file_);
}

}  // namespace memonline::boot
