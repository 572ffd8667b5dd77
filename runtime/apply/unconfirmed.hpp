// SPDX-License-Identifier: LGPL-2.1-or-later
// A run that has ended, and stays only if somebody says so in time. Who waits for that word without
// the lock (a service, which has other memory to bring online meanwhile) has its journal set aside,
// in `unconfirmed`, and a lock on that file: so nobody else's run begins, and what a killed one
// left is undone by whoever comes next.
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
  /// `memonline confirm` has left its word.
  [[nodiscard]] bool is_confirmed() const;
  /// What was done may stay: it becomes the last run, which `undo` may still take back.
  [[nodiscard]] Result<std::string, runtime::FileError> keep() const;

 private:
  Unconfirmed(std::string path, Journal journal, int lock)
      : path_(std::move(path)), journal_(std::move(journal)), lock_(lock) {}
  std::string path_;  ///< of the directory
  Journal journal_;
  int lock_;
};

}  // namespace memonline::apply
