// SPDX-License-Identifier: LGPL-2.1-or-later
// One run from lock to report, for the command line and the service. A session holds the lock, so
// that no other memonline process changes memory meanwhile.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "compiler/base/result.hpp"
#include "runtime/apply/helper.hpp"
#include "runtime/apply/report.hpp"
#include "runtime/apply/run_directory.hpp"
#include "runtime/host/read_host.hpp"

namespace memonline::apply {

/// What a killed run left, and how it was recovered.
struct Recovered {
  std::optional<Journal> journal;  ///< of the killed run; empty: nothing was left
  std::vector<std::string> lines;  ///< what was done about it, for people
  std::optional<Report> undone;    ///< it waited to be confirmed, so all of it was undone
  /// Journals that could not be read: the error, and the new name of each. They only block `undo`.
  struct SetAside {
    runtime::FileError error;
    std::string path;
  };
  std::vector<SetAside> set_aside;
};

/// The writer: a process forked for it (helper.hpp), or the calling thread (this_thread.hpp).
enum class Writer : std::uint8_t { Helper, ThisThread };

class Session {
 public:
  /// Opens sysfs and /run/memonline below `root` and takes the lock, waiting up to `patience` or
  /// until a stop is requested.
  static Result<Session, std::variant<runtime::FileError, Held>> begin(
      const std::string& root, const std::string& command, std::chrono::milliseconds patience,
      Writer writer = Writer::Helper, Stops* stops = nullptr);

  using Reader = std::function<Result<model::Host, runtime::HostError>()>;
  /// The same on any port: `host` reads what is behind it, /run/memonline is below `root`.
  static Result<Session, std::variant<runtime::FileError, Held>> begin_on(
      std::unique_ptr<MemoryPort> port, Reader host, const std::string& root,
      const std::string& command, std::chrono::milliseconds patience, Writer writer,
      Stops* stops = nullptr);

  /// Recovers from a killed run: puts back settings that were changed for the run only, and undoes
  /// the whole run if it awaited confirmation, unless a process still waits for that. The next run
  /// retries what failed; a journal that cannot be read is set aside. Best called before the host
  /// is read for planning.
  Result<Recovered, runtime::FileError> recover(const Limits& limits, const Watch& watch);

  /// Carries the program out. The journal (its `run` and `boot` are filled in) is on disk before
  /// the first write, and a helper is forked before that. While `to_confirm` is set in it, it stays
  /// the running one until `keep()`.
  Result<Report, runtime::FileError> carry_out(const Program& program, Journal journal,
                                               const Limits& limits, const Watch& watch);
  /// Keeps the changes; `undo` can still undo them later.
  Result<std::string, runtime::FileError> keep();
  /// Restores the state in the journal, which is removed once all of it is undone. Refused before
  /// the first write, with an error without a path, if the pages in use do not fit elsewhere.
  Result<Report, runtime::FileError> undo(RunDirectory::Which which, const Journal& journal,
                                          const Limits& limits, const Watch& watch);

  /// Whether that would undo a run.
  [[nodiscard]] bool has_to_undo() const;

  [[nodiscard]] RunDirectory& directory() { return directory_; }
  [[nodiscard]] MemoryPort& port() { return *port_; }
  [[nodiscard]] const std::string& run() const { return run_; }

 private:
  Session(std::unique_ptr<MemoryPort> port, Reader host, std::string command, Writer writer,
          RunDirectory directory);
  Result<Report, runtime::FileError> write_blocks(const Program& program, const Journal* journal,
                                                  const Limits& limits, const Watch& watch);
  /// That journal, if its run awaits confirmation and no process waits for that any more.
  [[nodiscard]] Result<std::optional<Journal>, runtime::FileError> unconfirmed(
      RunDirectory::Which which) const;
  Result<std::string, runtime::FileError> recover_knobs(Recovered& recovered);
  Result<std::string, runtime::FileError> set_aside_unreadable(Recovered& recovered);
  Result<std::string, runtime::FileError> write_down(const Journal* journal);
  void wait_for_adds();
  /// False if a setting could not be put back.
  bool put_back(const std::vector<KnobBefore>& knobs, std::vector<std::string>& lines);

  std::unique_ptr<MemoryPort> port_;
  Reader host_;
  std::string command_;
  Writer writer_;
  RunDirectory directory_;
  std::string run_;
  std::string root_;
};

}  // namespace memonline::apply
