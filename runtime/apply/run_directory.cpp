// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/apply/run_directory.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <thread>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/host/text.hpp"

namespace memonline::apply {

namespace {

using runtime::FileError;

auto refused(const std::string& path, std::string operation) {
  const int number = errno;
  return fail(FileError{path, std::move(operation), number, std::strerror(number)});
}

std::string below(const std::string& root, std::string_view path) {
  return (root == "/" ? std::string() : root) + "/" + std::string(path);
}

constexpr auto kUnreadable = ".unreadable";
/// Its run is older than the one in `last`.
constexpr auto kOld = ".old";

/// A temporary name of write_file(). Only the lock holder writes journals.
bool is_leftover(std::string_view name) { return name.substr(0, 9) == ".journal."; }

}  // namespace

Result<RunDirectory, FileError> RunDirectory::open(const std::string& root) {
  const std::string path = below(root, "run/memonline");
  if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) return refused(path, "create");
  return look(root);
}

RunDirectory RunDirectory::look(const std::string& root) {
  const auto boot = runtime::read_file(below(root, "proc/sys/kernel/random/boot_id"));
  return {below(root, "run/memonline"), boot ? std::string(runtime::trimmed(*boot)) : std::string(),
          -1};
}

RunDirectory::RunDirectory(RunDirectory&& other) noexcept
    : path_(std::move(other.path_)),
      boot_(std::move(other.boot_)),
      lock_(std::exchange(other.lock_, -1)) {}

RunDirectory::~RunDirectory() {
  if (lock_ >= 0) ::close(lock_);
}

Result<std::optional<Held>, FileError> RunDirectory::lock(std::chrono::milliseconds patience,
                                                          const std::string& name, Stops* stops) {
  const std::string path = path_ + "/lock";
  lock_ = runtime::open_private(path);
  if (lock_ < 0) return refused(path, "open");
  const auto until = std::chrono::steady_clock::now() + patience;
  for (;;) {
    std::optional<Held> held;
    if (::flock(lock_, LOCK_EX | LOCK_NB) == 0) {
      held = held_by_waiting();
      if (!held) break;
      ::flock(lock_, LOCK_UN);
    } else if (errno != EWOULDBLOCK && errno != EINTR) {
      return refused(path, "lock");
    }
    const bool asked_to_stop = stops != nullptr && *stops > 0;
    if (asked_to_stop || std::chrono::steady_clock::now() >= until) {
      if (held) return held;
      const auto owner = runtime::read_file(path);
      return std::optional(
          Held{owner && !owner->empty() ? std::string(runtime::trimmed(*owner)) : "another run"});
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  remove_leftovers();
  // For processes that wait. If /run is full, the lock works without it.
  const std::string owner = fmt::format("pid {} ({})\n", ::getpid(), name);
  if (::ftruncate(lock_, 0) == 0) (void)!::pwrite(lock_, owner.data(), owner.size(), 0);
  return std::optional<Held>();
}

std::optional<Held> RunDirectory::held() const {
  const std::string path = path_ + "/lock";
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0) return std::nullopt;
  const bool locked = ::flock(file, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(file);
  if (!locked) return held_by_waiting();
  const auto owner = runtime::read_file(path);
  return Held{owner && !owner->empty() ? std::string(runtime::trimmed(*owner)) : "another run"};
}

// Files that write_file() had not renamed yet when a run was killed.
void RunDirectory::remove_leftovers() const {
  DIR* directory = ::opendir(path_.c_str());
  if (directory == nullptr) return;
  while (const dirent* entry = ::readdir(directory))
    if (is_leftover(entry->d_name)) ::unlinkat(::dirfd(directory), entry->d_name, 0);
  ::closedir(directory);
}

bool RunDirectory::is_waited_for() const {
  const int file =
      ::open(this->file(Which::Unconfirmed).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0) return false;
  const bool locked = ::flock(file, LOCK_EX | LOCK_NB) != 0;
  ::close(file);
  return locked;
}

// A waiting process has released the lock for its own further runs only.
std::optional<Held> RunDirectory::held_by_waiting() const {
  if (!is_waited_for()) return std::nullopt;
  const auto journal = read(Which::Unconfirmed);
  if (!journal || !*journal) return Held{"a run that awaits confirmation"};
  const std::string pid = (*journal)->run.substr(0, (*journal)->run.find('.'));
  if (pid == std::to_string(::getpid())) return std::nullopt;
  return Held{fmt::format("pid {} ({}), which awaits confirmation", pid, (*journal)->command)};
}

std::string RunDirectory::file(Which which) const {
  switch (which) {
    case Which::Running: return path_ + "/journal";
    case Which::Last: return path_ + "/last";
    case Which::Unconfirmed: break;
  }
  return path_ + "/unconfirmed";
}

Result<std::optional<Journal>, FileError> RunDirectory::read(Which which) const {
  if (which == Which::Last)
    if (auto newer = newer_than_last()) return fail(std::move(*newer));
  const auto text = runtime::read_regular_file(file(which));
  if (!text && (text.error().number == ENOENT || text.error().number == ENOTDIR))
    return std::optional<Journal>();
  if (!text) return fail(text.error());
  auto journal = journal_of(*text);
  if (!journal) return fail(FileError{file(which), "parse", 0, journal.error()});
  if (journal->boot != boot_) return std::optional<Journal>();
  return std::optional(std::move(*journal));
}

Result<std::string, FileError> RunDirectory::write(const Journal& journal) {
  Journal stamped = journal;
  stamped.boot = boot_;
  // A process that can read it can lock it, as a run that awaits confirmation does.
  return runtime::write_private_file(file(Which::Running), to_json(stamped));
}

Result<std::string, FileError> RunDirectory::close_journal(Which which) {
  const std::string from = file(which);
  return becomes_last(path_, from);
}

void RunDirectory::remove(Which which) { ::unlink(file(which).c_str()); }

Result<std::string, FileError> RunDirectory::set_aside(Which which) {
  const std::string from = file(which), to = from + kUnreadable;
  if (::rename(from.c_str(), to.c_str()) != 0) return refused(from, "rename");
  return to;
}

// `last` does not describe the last run while the journal of a later one is unreadable.
std::optional<FileError> RunDirectory::newer_than_last() const {
  for (const Which which : {Which::Running, Which::Unconfirmed}) {
    const std::string path = file(which) + kUnreadable;
    struct stat status {};
    if (::lstat(path.c_str(), &status) == 0)
      return FileError{path, "undo from", 0, "the journal of the last run could not be read"};
  }
  return std::nullopt;
}

// Without the lock, and so in place: a reader ignores half a word, and sees all of it next time.
Result<std::string, FileError> RunDirectory::confirm(const std::string& run) {
  const std::string path = path_ + "/confirmed", word = run + "\n";
  const int file = runtime::open_private(path);
  if (file < 0) return refused(path, "open");
  const bool written = ::ftruncate(file, 0) == 0 &&
                       ::write(file, word.data(), word.size()) == static_cast<ssize_t>(word.size());
  const int number = errno;
  ::close(file);
  errno = number;
  if (!written) return refused(path, "write");
  return path;
}

bool RunDirectory::is_confirmed(const std::string& run) const { return confirmed_in(path_, run); }

Result<std::string, FileError> becomes_last(const std::string& path, const std::string& journal) {
  const std::string last = path + "/last";
  if (::rename(journal.c_str(), last.c_str()) != 0) return refused(journal, "rename");
  for (const char* name : {"/journal", "/unconfirmed"}) {
    const std::string aside = path + name + kUnreadable;
    ::rename(aside.c_str(), (aside + kOld).c_str());
  }
  return last;
}

bool confirmed_in(const std::string& path, const std::string& run) {
  const auto text = runtime::read_file(path + "/confirmed");
  return text && runtime::trimmed(*text) == run;
}

void forget_word(const std::string& path, const std::string& run) {
  if (confirmed_in(path, run)) ::unlink((path + "/confirmed").c_str());
}

}  // namespace memonline::apply
