// SPDX-License-Identifier: LGPL-2.1-or-later
// /run/memonline: the lock that lets one run change memory at a time, and the journals that say how
// things were before. A journal is there, whole, before the first change; it is renamed when the
// run has ended as it should. So a journal named `journal` without a process that holds the lock is
// what a killed run left.
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

/// How often somebody asked to stop: a signal handler counts.
using Stops = const volatile std::sig_atomic_t;

/// The lock is somebody else's.
struct Held {
  std::string owner;  ///< "pid 123 (memonline apply)", as far as can be told
};

/// `memonline confirm` has left its word for this run in /run/memonline, which `path` is.
bool confirmed_in(const std::string& path, const std::string& run);
/// This journal in `path` is that of the run that ended last.
Result<std::string, runtime::FileError> becomes_last(const std::string& path,
                                                     const std::string& journal);
/// Removes that word: it is for this run only.
void forget_word(const std::string& path, const std::string& run);

class RunDirectory {
 public:
  enum class Which : std::uint8_t {
    Running,      ///< `journal`: of a run under way, or killed
    Last,         ///< `last`: of the run that ended last; what `undo` undoes
    Unconfirmed,  ///< `unconfirmed`: of one that ended and waits for a word (unconfirmed.hpp)
  };

  /// Makes <root>/run/memonline if it is not there.
  static Result<RunDirectory, runtime::FileError> open(const std::string& root);
  /// The same to read only: nothing is made, and there may be none.
  static RunDirectory look(const std::string& root);
  RunDirectory(RunDirectory&& other) noexcept;
  RunDirectory& operator=(RunDirectory&&) = delete;
  ~RunDirectory();

  /// Takes the lock, waiting up to `patience` or until somebody asks to stop, also for what another
  /// process has to have confirmed first. It is let go when this object and the processes forked
  /// meanwhile are gone.
  Result<std::optional<Held>, runtime::FileError> lock(std::chrono::milliseconds patience,
                                                       const std::string& name,
                                                       Stops* stops = nullptr);

  /// Whose the lock is now, without waiting for it or taking it.
  [[nodiscard]] std::optional<Held> held() const;

  /// Empty where there is none, or one of another boot (which says nothing of this one). An error
  /// where it cannot be read; of the last run, also where the journal of a later one was set aside.
  [[nodiscard]] Result<std::optional<Journal>, runtime::FileError> read(Which which) const;
  Result<std::string, runtime::FileError> write(const Journal& journal);
  /// The run has ended: its journal becomes the last one. Needs no memory.
  Result<std::string, runtime::FileError> close_journal(Which which = Which::Running);
  /// A journal that cannot be read is renamed, so that it stops no further run: its new path.
  Result<std::string, runtime::FileError> set_aside(Which which);
  void remove(Which which);

  /// `memonline confirm` leaves a word here for the run that waits for it.
  Result<std::string, runtime::FileError> confirm(const std::string& run);
  [[nodiscard]] bool is_confirmed(const std::string& run) const;

  /// Somebody waits for a word about the unconfirmed run; else it is what a killed one left.
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
