// SPDX-License-Identifier: LGPL-2.1-or-later
// /run/memonline: the lock that lets one run change memory at a time, and the journals with the
// previous state. A journal is complete before the first change, and renamed when the run has ended
// normally. So a journal named `journal` without a process that holds the lock was left by a killed
// run.
//
// Files of other versions: a journal has a schema (journal.hpp). One that this program cannot read
// is set aside as `journal.unreadable`, with a message, and no run waits for it: only `undo` is
// refused until the next run has ended, and the file is `journal.unreadable.old` then. `lock` and
// `confirmed` hold a line of text each, which programs of all versions read; text in `confirmed`
// that names no run confirms none.
#pragma once

#include <chrono>
#include <csignal>
#include <cstdint>
#include <optional>
#include <string>

#include "compiler/base/result.hpp"
#include "runtime/apply/journal.hpp"
#include "runtime/base/file.hpp"

namespace memonline::apply {

/// The number of stop requests, counted by a signal handler.
using Stops = const volatile std::sig_atomic_t;

/// Another process holds the lock.
struct Held {
  std::string owner;  ///< "pid 123 (memonline apply)", as far as is known
};

/// Whether `memonline confirm` has confirmed this run in /run/memonline, which `path` is.
bool confirmed_in(const std::string& path, const std::string& run);
/// Makes this journal in `path` the one of the last run.
Result<std::string, runtime::FileError> becomes_last(const std::string& path,
                                                     const std::string& journal);
/// Removes the confirmation of this run.
void forget_word(const std::string& path, const std::string& run);

class RunDirectory {
 public:
  enum class Which : std::uint8_t {
    Running,      ///< `journal`: of a run under way, or killed
    Last,         ///< `last`: of the run that ended last; what `undo` undoes
    Unconfirmed,  ///< `unconfirmed`: of one that ended and awaits confirmation (unconfirmed.hpp)
  };

  /// Makes <root>/run/memonline if it is not there.
  static Result<RunDirectory, runtime::FileError> open(const std::string& root);
  /// The same, read-only: creates nothing, and the directory may not exist.
  static RunDirectory look(const std::string& root);
  RunDirectory(RunDirectory&& other) noexcept;
  RunDirectory& operator=(RunDirectory&&) = delete;
  ~RunDirectory();

  /// Takes the lock, waiting up to `patience` or until a stop is requested, also for a run of
  /// another process that awaits confirmation. The lock is released when this object and the
  /// processes forked meanwhile are gone.
  Result<std::optional<Held>, runtime::FileError> lock(std::chrono::milliseconds patience,
                                                       const std::string& name,
                                                       Stops* stops = nullptr);

  /// The holder of the lock, without waiting for it or taking it.
  [[nodiscard]] std::optional<Held> held() const;

  /// Empty if there is none, or only one of another boot. An error if it cannot be read; for the
  /// last run, also if the journal of a later one was set aside.
  [[nodiscard]] Result<std::optional<Journal>, runtime::FileError> read(Which which) const;
  Result<std::string, runtime::FileError> write(const Journal& journal);
  /// The run has ended: its journal becomes the last one. Needs no memory.
  Result<std::string, runtime::FileError> close_journal(Which which = Which::Running);
  /// Renames a journal that cannot be read, so that it blocks no further run: its new path.
  Result<std::string, runtime::FileError> set_aside(Which which);
  void remove(Which which);

  /// `memonline confirm` confirms the run that waits.
  Result<std::string, runtime::FileError> confirm(const std::string& run);
  [[nodiscard]] bool is_confirmed(const std::string& run) const;

  /// A process waits for the unconfirmed run to be confirmed; else a killed one left it.
  [[nodiscard]] bool is_waited_for() const;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string file(Which which) const;

 private:
  RunDirectory(std::string path, std::string boot, int lock)
      : path_(std::move(path)), boot_(std::move(boot)), lock_(lock) {}
  [[nodiscard]] std::optional<Held> held_by_waiting() const;
  [[nodiscard]] std::optional<runtime::FileError> newer_than_last() const;
  void remove_leftovers() const;

  std::string path_;
  std::string boot_;  ///< boot_id of this kernel
  int lock_;
};

}  // namespace memonline::apply
