// SPDX-License-Identifier: LGPL-2.1-or-later
// A run that has ended, and is kept only if it is confirmed in time. A process that waits for that
// without the lock (the service, which onlines other memory meanwhile) moves the journal to
// `unconfirmed` and locks that file: so no other process begins a run, and if this one is killed,
// the next run undoes it.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "runtime/apply/run_directory.hpp"

namespace memonline::apply {

class Unconfirmed {
 public:
  /// Sets the running journal aside; the directory is locked by the caller.
  static Result<std::unique_ptr<Unconfirmed>, runtime::FileError> of(const RunDirectory& directory);
  ~Unconfirmed();
  Unconfirmed(const Unconfirmed&) = delete;
  Unconfirmed& operator=(const Unconfirmed&) = delete;

  [[nodiscard]] const Journal& journal() const { return journal_; }
  /// `memonline confirm` has confirmed it.
  [[nodiscard]] bool is_confirmed() const;
  /// Keeps the changes: it becomes the last run, which `undo` can still undo.
  [[nodiscard]] Result<std::string, runtime::FileError> keep() const;

 private:
  Unconfirmed(std::string path, Journal journal, int lock)
      : path_(std::move(path)), journal_(std::move(journal)), lock_(lock) {}
  std::string path_;  ///< of the directory
  Journal journal_;
  int lock_;
};

}  // namespace memonline::apply
