// SPDX-License-Identifier: LGPL-2.1-or-later
// One run from lock to report: what the command line, and later the service, call. A session holds
// the lock, so nothing of ours changes memory beside it.
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

/// What a killed run had left, and what became of it.
struct Recovered {
  std::optional<Journal> journal;  ///< of the killed run; empty: nothing was left
  std::vector<std::string> lines;  ///< what was done about it, for people
  std::optional<Report> undone;    ///< it waited to be confirmed, so all of it was undone
  /// Journals that could not be read: what is wrong with each, and what it was renamed to. They
  /// stop nothing but `undo`.
  struct SetAside {
    runtime::FileError error;
    std::string path;
  };
  std::vector<SetAside> set_aside;
};

/// Who writes: a process forked for it (helper.hpp), or the caller (this_thread.hpp).
enum class Writer : std::uint8_t { Helper, ThisThread };

class Session {
 public:
  /// Opens sysfs and /run/memonline below `root` and takes the lock, waiting up to `patience` or
  /// until somebody asks to stop.
  static Result<Session, std::variant<runtime::FileError, Held>> begin(
      const std::string& root, const std::string& command, std::chrono::milliseconds patience,
      Writer writer = Writer::Helper, Stops* stops = nullptr);

  using Reader = std::function<Result<model::Host, runtime::HostError>()>;
  /// The same on any port: `host` reads what is behind it, /run/memonline is below `root`.
  static Result<Session, std::variant<runtime::FileError, Held>> begin_on(
      std::unique_ptr<MemoryPort> port, Reader host, const std::string& root,
      const std::string& command, std::chrono::milliseconds patience, Writer writer,
      Stops* stops = nullptr);

  /// Puts back what a killed run left: knobs that were set for the run only; all of it, if it was
  /// to be confirmed and nobody did; not while somebody still waits for that. What could not be put
  /// back is tried again by the next run, and a journal that cannot be read is set aside. Best
  /// called before the host is read to be planned for.
  Result<Recovered, runtime::FileError> recover(const Limits& limits, const Watch& watch);

  /// Carries the program out. The journal (its `run` and `boot` are filled in) is on disk before
  /// the first write, and a helper is forked before that. While `to_confirm` is set in it, it stays
  /// the running one until `keep()`.
  Result<Report, runtime::FileError> carry_out(const Program& program, Journal journal,
                                               const Limits& limits, const Watch& watch);
  /// What was done may stay: `undo` may still take it back later.
  Result<std::string, runtime::FileError> keep();
  /// Back to what the journal says. Its journal is removed once all of it is undone. Refused, with
  /// an error without a path, before the first write, if what must move has no room elsewhere.
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
  /// Such a journal, if it was to be confirmed and nobody waits for that any more.
  [[nodiscard]] Result<std::optional<Journal>, runtime::FileError> unconfirmed(
      RunDirectory::Which which) const;
  Result<std::string, runtime::FileError> recover_knobs(Recovered& recovered);
  Result<std::string, runtime::FileError> set_aside_unreadable(Recovered& recovered);
  Result<std::string, runtime::FileError> write_down(const Journal* journal);
  void wait_for_adds();
  /// False when a knob could not be put back.
  bool put_back(const std::vector<KnobBefore>& knobs, std::vector<std::string>& lines);

  std::unique_ptr<MemoryPort> port_;
  Reader host_;
  std::string command_;
  Writer writer_;
  RunDirectory directory_;
  std::string run_;
};

}  // namespace memonline::apply
