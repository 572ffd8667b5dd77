// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/apply/session.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <random>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "compiler/model/knob.hpp"
#include "runtime/apply/stuck_pages.hpp"
#include "runtime/apply/sysfs.hpp"
#include "runtime/apply/this_thread.hpp"
#include "runtime/apply/undo_room.hpp"

namespace memonline::apply {

namespace {

using runtime::FileError;
using Which = RunDirectory::Which;

constexpr std::array<Which, 2> kMayBeUnconfirmed{Which::Running, Which::Unconfirmed};

FileError no_helper(int error) {
  return {"a helper process", "start", error, std::strerror(error)};
}

/// The pid, which a process that waits for the lock reports, and a unique number: two runs may
/// begin within a second, and one process may begin several.
std::string new_run() {
  std::random_device random;
  const std::uint64_t high = random();
  return fmt::format("{}.{:016x}", ::getpid(), high << 32U | random());
}

}  // namespace

Session::Session(std::unique_ptr<MemoryPort> port, Reader host, std::string command, Writer writer,
                 RunDirectory directory)
    : port_(std::move(port)),
      host_(std::move(host)),
      command_(std::move(command)),
      writer_(writer),
      directory_(std::move(directory)),
      run_(new_run()) {}

Result<Session, std::variant<FileError, Held>> Session::begin(const std::string& root,
                                                              const std::string& command,
                                                              std::chrono::milliseconds patience,
                                                              Writer writer, Stops* stops) {
  auto port = Sysfs::open(root);
  if (!port) return fail(std::variant<FileError, Held>(port.error()));
  return begin_on(
      std::make_unique<Sysfs>(std::move(*port)), [root] { return runtime::read_host(root); }, root,
      command, patience, writer, stops);
}

Result<Session, std::variant<FileError, Held>> Session::begin_on(
    std::unique_ptr<MemoryPort> port, Reader host, const std::string& root,
    const std::string& command, std::chrono::milliseconds patience, Writer writer, Stops* stops) {
  using Error = std::variant<FileError, Held>;
  auto directory = RunDirectory::open(root);
  if (!directory) return fail(Error(directory.error()));
  auto locked = directory->lock(patience, command, stops);
  if (!locked) return fail(Error(locked.error()));
  if (*locked) return fail(Error(**locked));
  Session session(std::move(port), std::move(host), command, writer, std::move(*directory));
  session.root_ = root;
  return session;
}

Result<Recovered, FileError> Session::recover(const Limits& limits, const Watch& watch) {
  Recovered recovered;
  if (auto done = set_aside_unreadable(recovered); !done) return fail(done.error());
  if (auto done = recover_knobs(recovered); !done) return fail(done.error());
  for (const Which which : kMayBeUnconfirmed) {
    const auto left = unconfirmed(which);
    if (!left) return fail(left.error());
    if (!*left) continue;
    // The run was confirmed, but the waiting process was killed before it noticed.
    if (directory_.is_confirmed((*left)->run)) {
      if (auto kept = directory_.close_journal(which); !kept) return fail(kept.error());
      forget_word(directory_.path(), (*left)->run);
      continue;
    }
    auto undone = undo(which, **left, limits, watch);
    if (!undone) return fail(undone.error());
    recovered.journal = **left;
    recovered.lines.emplace_back("the run was not confirmed: undone");
    recovered.undone = std::move(*undone);
  }
  return recovered;
}

Result<std::string, FileError> Session::set_aside_unreadable(Recovered& recovered) {
  for (const Which which : kMayBeUnconfirmed) {
    if (which == Which::Unconfirmed && directory_.is_waited_for()) continue;
    const auto journal = directory_.read(which);
    if (journal) continue;
    auto path = directory_.set_aside(which);
    if (!path) return path;
    recovered.lines.push_back(fmt::format("{}: renamed to `{}`", journal.error().message(), *path));
    recovered.set_aside.push_back({journal.error(), std::move(*path)});
  }
  return std::string();
}

bool Session::has_to_undo() const {
  return std::any_of(kMayBeUnconfirmed.begin(), kMayBeUnconfirmed.end(), [this](Which which) {
    const auto left = unconfirmed(which);
    return left && *left;
  });
}

Result<std::optional<Journal>, FileError> Session::unconfirmed(Which which) const {
  auto journal = directory_.read(which);
  if (!journal || !*journal) return journal;
  const bool waits = which == Which::Unconfirmed && directory_.is_waited_for();
  return (*journal)->to_confirm && !waits ? std::move(journal) : std::optional<Journal>();
}

// A run that ended early may have left settings that were changed for it alone.
Result<std::string, FileError> Session::recover_knobs(Recovered& recovered) {
  auto journal = directory_.read(Which::Running);
  if (!journal) return fail(journal.error());
  if (!*journal || (*journal)->to_confirm) return std::string();
  recovered.journal = std::move(**journal);
  if (!put_back(recovered.journal->knobs, recovered.lines)) return std::string();
  // From here on it is a run that has ended; `undo` can undo it.
  return directory_.close_journal();
}

bool Session::put_back(const std::vector<KnobBefore>& knobs, std::vector<std::string>& lines) {
  bool all = true;
  bool waited = false;
  for (const KnobBefore& knob : knobs) {
    const std::string_view name = model::knob_name(knob.knob);
    const std::string& set = knob.for_the_run();
    if (set.empty()) continue;
    const KnobView now = port_->read_knob(knob.knob);
    const bool wished = knob.stays && now.value() == knob.during;
    if (now.error != 0 || now.value() == knob.before || wished) continue;
    if (now.value() != set) {
      lines.push_back(
          fmt::format("{} is {}, set by another process: left unchanged", name, now.value()));
      continue;
    }
    // Never in the middle of an add (kernel rule 9.3).
    if (!waited) wait_for_adds();
    waited = true;
    const int error = port_->write_knob(knob.knob, knob.before);
    all = all && error == 0;
    lines.push_back(error == 0 ? fmt::format("{} restored to {}", name, knob.before)
                               : fmt::format("cannot restore {} to {}: {}", name, knob.before,
                                             errno_text(error)));
  }
  return all;
}

void Session::wait_for_adds() {
  const auto host = host_();
  if (!host) return;
  for (const model::BlockRun& run : host->blocks)
    if (run.state == model::State::Online) {
      (void)port_->wait_for_adds(run.first);
      return;
    }
}

Result<Report, FileError> Session::carry_out(const Program& program, Journal journal,
                                             const Limits& limits, const Watch& watch) {
  journal.run = run_;
  journal.command = command_;
  auto report = write_blocks(program, &journal, limits, watch);
  if (!report || journal.to_confirm) return report;
  // The holder of the lock may be adding memory: no time to change settings. The journal stays, and
  // the next run puts them back.
  if (*report->ended == Ended::LockHeld) return report;
  // A helper that was killed may have left settings that were changed for the run.
  if (*report->ended == Ended::Died) {
    auto recovered = recover(limits, {});
    if (!recovered) return fail(recovered.error());
    return report;
  }
  if (auto kept = keep(); !kept) return fail(kept.error());
  return report;
}

Result<std::string, FileError> Session::keep() {
  auto kept = directory_.close_journal();
  if (kept) forget_word(directory_.path(), run_);
  return kept;
}

Result<Report, FileError> Session::undo(RunDirectory::Which which, const Journal& journal,
                                        const Limits& limits, const Watch& watch) {
  auto now = host_();
  if (!now) return fail(FileError{now.error().path, "read", 0, now.error().message});
  const Program program = program_to_undo(journal.blocks, journal.knobs, *now);
  if (const std::string why = no_room_for(program.tasks, *now); !why.empty())
    return fail(FileError{"", "undo", 0, why});
  auto report = write_blocks(program, nullptr, limits, watch);
  if (report && report->result() == Report::Result::Complete) {
    directory_.remove(which);
    forget_word(directory_.path(), journal.run);
  }
  return report;
}

Result<Report, FileError> Session::write_blocks(const Program& program, const Journal* journal,
                                                const Limits& limits, const Watch& watch) {
  auto shared = SharedProgress::make(program);
  if (!shared) return fail(no_helper(shared.error()));
  Ended ended = Ended::Finished;
  KernelLog log(root_);
  auto began = Clock::now();
  if (writer_ == Writer::ThisThread) {
    if (auto written = write_down(journal); !written) return fail(written.error());
    began = Clock::now();
    ended = run_in_this_thread(program, **shared, *port_, limits, watch);
  } else {
    auto helper = Helper::start(program, **shared, *port_, limits);
    if (!helper) return fail(no_helper(helper.error()));
    if (auto written = write_down(journal); !written) return fail(written.error());
    began = Clock::now();
    ended = (*helper)->run(watch);
  }
  const std::chrono::duration<double> took = Clock::now() - began;
  Report report = report_of(program, **shared, ended, took.count());
  if (report.result() == Report::Result::Complete) return report;
  if (const auto tree = runtime::open_directory(root_))
    name_stuck_pages(report, reported_pages(log.read()), **tree,
                     static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)),
                     writer_ == Writer::ThisThread);
  return report;
}

Result<std::string, FileError> Session::write_down(const Journal* journal) {
  if (journal == nullptr) return std::string();
  return directory_.write(*journal);
}

}  // namespace memonline::apply
