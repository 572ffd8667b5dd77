// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/cli/apply_run.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "compiler/diag/render.hpp"
#include "compiler/plan/verdict.hpp"
#include "compiler/render/plan.hpp"
#include "runtime/apply/report_json.hpp"
#include "runtime/cli/boot_text.hpp"
#include "runtime/cli/confirm.hpp"
#include "runtime/cli/inputs.hpp"
#include "runtime/cli/left_offline.hpp"
#include "runtime/cli/output.hpp"
#include "runtime/cli/progress.hpp"
#include "runtime/cli/ready.hpp"
#include "runtime/cli/recovery.hpp"
#include "runtime/cli/running.hpp"
#include "runtime/cli/service_client.hpp"
#include "runtime/host/blocks.hpp"

namespace memonline::cli {

namespace {

// virtio-mem and Hyper-V wait until their memory is online, then add more (kernel rules 9.6, 9.7).
constexpr int kMaxRounds = 16;

bool has_new_blocks(const model::Host& before, const std::vector<std::uint64_t>& now) {
  return std::any_of(now.begin(), now.end(), [&](std::uint64_t id) {
    return before.find_block(model::BlockId(id)) == nullptr;
  });
}

class Apply {
 public:
  Apply(const ApplyOptions& options, ColorChoice color)
      : options_(options), color_(color), limits_(limits_of(options.run)) {}

  ExitStatus run() {
    if (options_.boot) {
      at_boot_ = check_at_boot(options_.where);
      if (!at_boot_.nothing.empty())
        return end_with("nothing-to-do", ExitStatus::Done, at_boot_.nothing);
      shown_ = &at_boot_.shown;
      if (at_boot_.problems.has_errors()) {
        sink_.append(at_boot_.problems);
        return end_with("failed", ExitStatus::Usage);
      }
    }
    if (options_.dry_run) return options_.recover ? dry_recovery() : dry_run();
    stops_ = count_stop_signals();
    if (!options_.boot && !options_.recover && !options_.run.direct)
      if (auto service = ServiceClient::find(options_.where.root)) return by_service(*service);
    if (options_.run.retry) {
      sink_
          .add(diag::Code::CannotChange, std::nullopt,
               "`--retry` needs memonlined, which is not running")
          .help = "start it with `systemctl start memonlined`, or leave out `--retry`";
      return end_with("failed", ExitStatus::Failure);
    }
    if (lacks_root("apply", options_.where.root, sink_))
      return end_with("failed", ExitStatus::Failure);
    auto session =
        begin_session(options_.where.root, "memonline apply", options_.run.wait, stops_, sink_);
    if (!session) return end_with("failed", ExitStatus::Failure);
    session_.emplace(std::move(*session));
    if (!recover()) return end_with("failed", ExitStatus::Failure);
    if (options_.recover) return end_recovered();

    Ready ready = make_ready(options_, earlier_, sink_);
    take(ready);
    if (!ready.plan || ready.fulfilled || ready.plan->steps.empty()) return end_early(ready);
    announce(ready);
    if (!options_.boot) offline_note_.emplace(options_.where.root, *ready.host);
    for (int round = 1; carry_out(ready) && round < kMaxRounds; ++round)
      if (!memory_was_added(ready)) break;
    if (sink_.has_errors()) return end_with("failed", ExitStatus::Failure);
    if (options_.confirm) return confirmed_or_undone(ready);
    return end_done(ready);
  }

 private:
  ExitStatus dry_run() {
    Ready ready = make_ready(options_, std::nullopt, sink_);
    take(ready);
    if (!ready.plan || ready.fulfilled) return end_early(ready);
    if (!ready.plan->steps.empty()) announce(ready);
    next_boot(ready, true);
    const bool nothing = ready.plan->steps.empty() && !(document_.boot && document_.boot->changed);
    print_out(nothing ? nothing_to_do(ready) : "dry run: nothing was written\n");
    return end_with("dry-run", ExitStatus::Done);
  }

  // No policy is needed to restore what an earlier run changed.
  ExitStatus dry_recovery() {
    auto lines = would_recover(options_.where.root);
    if (!lines) {
      add_no_journal(lines.error(), Changed::Nothing, sink_);
      return end_with("failed", ExitStatus::Failure);
    }
    document_.recovered = std::move(*lines);
    return end_with("dry-run", ExitStatus::Done, "dry run: nothing was written\n");
  }

  // memonlined itself recovers earlier runs, and onlines memory that arrives meanwhile.
  ExitStatus by_service(ServiceClient& service) {
    Ready ready = make_ready(options_, std::nullopt, sink_);
    take(ready);
    if (!ready.plan || ready.fulfilled || ready.plan->steps.empty()) return end_early(ready);
    announce(ready);
    auto outcome = service.apply(render::plan_to_json(*ready.plan), ready.host->block_size,
                                 options_.run, options_.confirm, stops_);
    if (!outcome) {
      add_refused(outcome.error(), sink_);
      return end_with("failed", ExitStatus::Failure);
    }
    document_.report = std::move(outcome->report);
    if (!document_.report) {
      add_failed(*outcome, sink_);
      return end_with("failed", ExitStatus::Failure);
    }
    if (!options_.confirm) return end_done(ready);
    print_out(document_.report->text);
    return outcome->undone ? end_undone(std::move(*outcome->undone))
                           : end_done(ready, "confirmed\n");
  }

  bool recover() {
    auto recovered = watched(
        stops_, [&](const apply::Watch& watch) { return session_->recover(limits_, watch); });
    if (!recovered) {
      add_no_journal(recovered.error(), Changed::Nothing, sink_);
      return false;
    }
    document_.recovered = recovered->lines;
    add_set_aside(*recovered, sink_);
    if (recovered->undone) document_.undone = rendered(*recovered->undone, "undone");
    if (recovered->journal) {
      const apply::Journal& left = *recovered->journal;
      auto& d = sink_.add(diag::Code::LeftBehind, std::nullopt,
                          fmt::format("an earlier run (`{}`) was cut short", left.command));
      d.notes = recovered->lines;
      if (!left.to_confirm) earlier_ = left;
    } else if (options_.recover && recovered->lines.empty()) {
      document_.recovered.emplace_back("nothing to recover: no run was cut short");
    }
    return true;
  }

  ExitStatus end_recovered() {
    if (!document_.undone) return end_with("recovered", ExitStatus::Done);
    return end_with("recovered", status_of(document_.undone->result), document_.undone->text);
  }

  ExitStatus end_early(const Ready& ready) {
    if (ready.fulfilled) {
      print_out("nothing to do: the host is already as this plan leaves it\n");
      return end_with("fulfilled", ExitStatus::Done);
    }
    if (!ready.plan) return end_with("failed", ready.status);
    const bool boot_written = next_boot(ready, false);
    if (boot_text_.empty() && boot_written) print_out(nothing_to_do(ready));
    return end_with(boot_written ? "nothing-to-do" : "failed",
                    boot_written ? ExitStatus::Done : ExitStatus::Failure);
  }

  void take(const Ready& ready) {
    shown_ = &ready.shown;
    document_.fingerprint = ready.fingerprint();
    if (!ready.plan || ready.fulfilled) return;
    document_.judgement = ready.plan->judgement;
    document_.agents = ready.plan->agents;
  }

  static std::string nothing_to_do(const Ready& ready) {
    return render::remaining_to_text(*ready.plan) + render::agents_to_text(ready.plan->agents);
  }

  /// Kernel parameters, which only the next boot can use: written if the policy says so.
  bool next_boot(const Ready& ready, bool only_describe) {
    const plan::Boot& boot = ready.plan->boot;
    if (!ready.write_boot) {
      if (boot.reboot_required)
        boot_text_ = "`memonline boot apply` writes the kernel parameters for the next boot.\n";
      return true;
    }
    const BootWritten written =
        write_boot(options_.where.root, boot, ready.host->arch, only_describe, sink_);
    document_.boot = {boot.parameters, written.done && !only_describe, written.changed};
    if (written.changed) boot_text_ = "Kernel parameters through " + written.text;
    return written.done;
  }

  ExitStatus end_done(const Ready& ready, std::string_view text = {}) {
    const bool boot_written = next_boot(ready, false);
    const ExitStatus status = status_of(document_.report->result);
    if (document_.report->result == apply::Report::Result::Complete) conclude(*ready.plan);
    return end_with(std::string(apply::result_name(document_.report->result)),
                    boot_written || status == ExitStatus::Failure ? status : ExitStatus::Partly,
                    text);
  }

  /// The plan is complete: repeats at the end what it could not do.
  void conclude(const plan::Plan& plan) {
    document_.judgement = plan::when_done(plan.judgement);
    remaining_text_ = render::remaining_when_done(plan);
  }

  // Before the first write: what will be done, and what may be impossible to undo.
  void announce(const Ready& ready) {
    const auto fixed = apply::irreversible(*ready.plan, *ready.host);
    if (!fixed.empty()) {
      auto& d = sink_.add(diag::Code::HardToUndo, std::nullopt,
                          fmt::format("{} of {} steps may be impossible to undo", fixed.size(),
                                      ready.plan->steps.size()));
      d.notes = fixed;
    }
    if (options_.run.format == Format::Json) return;
    print_new_diagnostics();
    print(render::plan_to_text(*ready.plan, *ready.host));
  }

  /// False when this was the last round, for better or worse.
  bool carry_out(const Ready& ready) {
    const apply::Program program = apply::program_of(*ready.plan, *ready.host);
    offlines_ = offlines_ ||
                std::any_of(program.tasks.begin(), program.tasks.end(),
                            [](auto& task) { return task.kind == apply::Task::Kind::Offline; });
    apply::Journal journal;
    journal.plan = ready.plan->host.fingerprint;
    journal.block_size = program.block_size;
    journal.to_confirm = options_.confirm.has_value();
    journal.knobs = apply::knobs_before(*ready.plan);
    journal.blocks = apply::blocks_before(*ready.plan, *ready.host);
    if (earlier_) apply::merge_earlier(journal, *earlier_);
    earlier_ = journal;
    auto report = watched(stops_, [&](const apply::Watch& watch) {
      return session_->carry_out(program, journal, limits_, watch);
    });
    if (!report) {
      add_no_journal(report.error(), sum_ ? Changed::Memory : Changed::Nothing, sink_);
      return false;
    }
    const bool complete = report->result() == apply::Report::Result::Complete;
    add_up(sum_, std::move(*report));
    document_.report = rendered(*sum_);
    return complete;
  }

  // No plan covers memory that arrived while this one ran.
  bool memory_was_added(Ready& ready) {
    if (!options_.plan_file.empty()) return false;
    const auto tree = runtime::open_directory(options_.where.root);
    if (!tree || !has_new_blocks(*ready.host, runtime::block_ids(**tree))) return false;
    diag::Sink quiet;
    Ready next = make_ready(options_, std::nullopt, quiet);
    if (!next.plan || next.plan->steps.empty()) return false;
    ready.plan = std::move(next.plan);
    ready.host = std::move(next.host);
    if (options_.run.format != Format::Json)
      print("memory was hot-added during the run:\n" +
            render::plan_to_text(*ready.plan, *ready.host));
    return true;
  }

  ExitStatus confirmed_or_undone(const Ready& ready) {
    print_out(document_.report->text);
    const Confirmation answer =
        wait_for_confirmation(session_->directory(), session_->run(), *options_.confirm, stops_);
    // Each block would delay the shutdown, and the next boot starts from scratch.
    if (answer == Confirmation::GoingDown)
      return end_with("unconfirmed", ExitStatus::Failure,
                      "not confirmed and not undone: the machine is shutting down\n");
    if (answer == Confirmation::Confirmed) {
      if (const auto kept = session_->keep(); !kept) {
        add_no_journal(kept.error(), Changed::Memory, sink_);
        return end_with("failed", ExitStatus::Failure);
      }
      return end_done(ready, "confirmed\n");
    }
    auto undone = session_->undo(apply::RunDirectory::Which::Running, *earlier_, limits_, {});
    if (!undone) {
      add_no_journal(undone.error(), Changed::Memory, sink_);
      return end_with("failed", ExitStatus::Failure);
    }
    return end_undone(rendered(*undone, "undone"));
  }

  ExitStatus end_undone(RenderedReport undone) {
    const std::string text = "not confirmed: " + undone.text;
    const bool whole = undone.result == apply::Report::Result::Complete;
    document_.undone = std::move(undone);
    return end_with("undone", whole ? ExitStatus::Failure : ExitStatus::Partly, text);
  }

  // Those that were not printed yet.
  void print_new_diagnostics() {
    diag::Sink fresh;
    for (std::size_t i = printed_; i < sink_.all().size(); ++i) {
      const diag::Diagnostic& d = sink_.all()[i];
      fresh.add(d.code, d.span, {}) = d;
    }
    printed_ = sink_.all().size();
    print_error(diag::to_text(fresh.sorted(), *shown_, {color_errors(color_)}));
  }

  void print_out(std::string_view text) {
    if (options_.run.format != Format::Json) print(text);
  }

  // With the lock held, whatever the result of the run.
  void note_what_is_offline() {
    if (!offline_note_ || !sum_) return;
    if (const std::string problem = offline_note_->write(offlines_); !problem.empty())
      print_error(fmt::format("memonline: {}\n", problem));
  }

  ExitStatus end_with(std::string result, ExitStatus status, std::string_view text = {}) {
    note_what_is_offline();
    document_.result = std::move(result);
    document_.status = status;
    if (options_.run.format == Format::Json) return print(to_json(document_, sink_), status);
    print_new_diagnostics();
    if (options_.recover)
      for (const std::string& line : document_.recovered) print(line + "\n");
    if (!text.empty())
      print(text);
    else if (document_.report)
      print(document_.report->text);
    return print(remaining_text_ + boot_text_, status);
  }

  const ApplyOptions& options_;
  ColorChoice color_;
  apply::Limits limits_;
  const volatile std::sig_atomic_t* stops_ = nullptr;
  std::optional<apply::Session> session_;
  std::optional<OfflineNote> offline_note_;
  bool offlines_ = false;                  ///< a step offlines blocks
  std::optional<apply::Journal> earlier_;  ///< of a run cut short, then of the rounds so far
  diag::Sink sink_;
  AtBoot at_boot_;
  const source::SourceSet no_files_;
  const source::SourceSet* shown_ = &no_files_;
  std::size_t printed_ = 0;           ///< so many of the diagnostics were printed
  std::optional<apply::Report> sum_;  ///< of all rounds
  RunDocument document_;
  std::string remaining_text_;  ///< what the plan could not do
  std::string boot_text_;       ///< the result for the kernel parameters
};

}  // namespace

ExitStatus run_apply(const ApplyOptions& options, ColorChoice color) {
  return Apply(options, color).run();
}

}  // namespace memonline::cli
