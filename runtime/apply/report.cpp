// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/apply/report.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>

#include <fmt/format.h>

#include "compiler/model/dax.hpp"
#include "compiler/model/knob.hpp"
#include "compiler/model/zone.hpp"
#include "compiler/render/plan.hpp"

namespace memonline::apply {

namespace {

bool same_result(const BlockResult& a, const BlockResult& b) {
  return a.outcome == b.outcome && a.error == b.error && a.zone == b.zone &&
         a.put_back == b.put_back;
}

std::string refusal(const Task& task, const BlockResult& result) {
  std::string text = errno_text(result.error);
  if (result.tries > 1) text += fmt::format(" after {} tries", result.tries);
  const std::string reason = likely_reason(task.kind, result.error);
  return reason.empty() ? text : text + ": " + reason;
}

std::string text_of(const Task& task, const BlockResult& result, bool skipped) {
  std::string text;
  switch (result.outcome) {
    case Outcome::Done:
    case Outcome::Pending: return "not tried: the run was stopped";
    case Outcome::Already: return "already done by another process";
    case Outcome::Again:
    case Outcome::Refused: text = refusal(task, result); break;
    case Outcome::WrongZone:
      text = fmt::format("ended up in {} instead of {}",
                         zone_name(static_cast<model::Zone>(result.zone)), zone_name(task.zone));
      if (result.error != 0)
        text += task.taken_from ? "; could not be offlined" : "; another process onlined it";
      else
        text += result.put_back ? "; offlined again" : "; could not be offlined again";
      return text;
    case Outcome::Deadline:
      text = "could not be offlined within the time limit; still online";
      break;
    case Outcome::Vanished: text = "the block no longer exists"; break;
    case Outcome::TakenBack:
      return result.put_back
                 ? fmt::format("offlined, then re-onlined in {} because the request failed",
                               zone_name(task.zone))
                 : "offlined, and could not be re-onlined after the request failed";
    case Outcome::NotRestored: return "changed by another process meanwhile: left unchanged";
    case Outcome::NotTried:
      if (task.all_or_nothing)
        return "not tried: another block of the request could not be offlined";
      if (task.configured_first && !skipped) return "not tried: the block could not be added";
      return skipped ? "not tried: kernel memory that must come first could not be onlined"
             : task.kind == Task::Kind::None
                 ? task.why_not
                 : "not tried: an earlier block of the same range failed";
  }
  if (task.taken_from && result.put_back)
    text += fmt::format("; re-onlined in {}", zone_name(*task.taken_from));
  return text;
}

StepReport step_of(const Task& task, const SharedProgress& shared, const TaskProgress& progress) {
  StepReport step;
  step.number = task.step;
  step.what = task_text(task);
  step.rule = task.rule;
  step.kind = task.kind;
  step.wanted = task.count();
  step.skipped = progress.skipped.load();
  if (task.kind == Task::Kind::Reclaim &&
      shared.result(task.first_result).outcome == Outcome::Done && progress.freed_known.load())
    step.freed = progress.freed.load();
  if (progress.ended.load() > progress.began.load())
    step.seconds = static_cast<double>(progress.ended.load() - progress.began.load()) / 1e9;
  for (std::uint64_t i = 0; i < task.count(); ++i) {
    const BlockResult& result = shared.result(task.first_result + i);
    step.done += result.outcome == Outcome::Done ? 1U : 0U;
    const bool by_others =
        result.outcome == Outcome::Already || result.outcome == Outcome::NotRestored;
    step.already += by_others ? 1U : 0U;
    if (result.outcome == Outcome::Done) continue;
    if (result.outcome == Outcome::Already && task.kind == Task::Kind::SetKnob) continue;
    const model::BlockId block = task.writes_blocks() ? task.block(i) : model::BlockId(0);
    const bool joins = i > 0 && !step.findings.empty() &&
                       same_result(step.findings.back().result, result) &&
                       step.findings.back().blocks.last == task.block(i - 1);
    if (joins) {
      step.findings.back().blocks.last = block;
      step.findings.back().result.tries = std::max(step.findings.back().result.tries, result.tries);
    } else {
      step.findings.push_back({{block, block}, result, {}, std::nullopt});
    }
  }
  for (Finding& finding : step.findings) finding.text = text_of(task, finding.result, step.skipped);
  return step;
}

std::string size_text(std::uint64_t bytes) {
  const double gib = static_cast<double>(bytes) / (1U << 30U);
  return gib < 1024 ? fmt::format("{:.4g} GiB", gib) : fmt::format("{:.4g} TiB", gib / 1024);
}

// "  step 2: reclaim slab: 12 MiB more are free".
std::string freed_text(const StepReport& step) {
  const bool compacts = step.what == plan::reclaim_text(plan::Reclaim::Compact);
  const std::string amount = model::human(
      model::Bytes(static_cast<std::uint64_t>(std::max<std::int64_t>(*step.freed, 0))));
  return fmt::format("  step {}: {}: {} more {}\n", step.number, step.what, amount,
                     compacts ? "free in large contiguous areas" : "free");
}

std::string headline(const Report& report, std::string_view verb) {
  const std::string amount =
      fmt::format("{} of {} blocks ({} of {}) in {:.1f} s", report.blocks_done, report.blocks,
                  size_text(report.blocks_done * report.block_size),
                  size_text(report.blocks * report.block_size), report.seconds);
  switch (report.result()) {
    case Report::Result::Complete:
      return report.blocks == 0 ? fmt::format("{}\n", verb) : fmt::format("{}: {}\n", verb, amount);
    case Report::Result::Partly: return fmt::format("partially {}: {}\n", verb, amount);
    case Report::Result::Failed: break;
  }
  return fmt::format("not {}: nothing could be done\n", verb);
}

}  // namespace

std::string task_text(const Task& task) {
  switch (task.kind) {
    case Task::Kind::Online:
      return fmt::format("{} {}", model::online_word(task.word), model::range_name(task.blocks));
    case Task::Kind::Offline: return "offline " + model::range_name(task.blocks);
    case Task::Kind::Configure:
    case Task::Kind::Deconfigure: {
      const bool configure = task.kind == Task::Kind::Configure;
      if (task.device.empty())
        return (configure ? "configure " : "deconfigure ") + model::range_name(task.blocks);
      const char* release = model::dimm_number(task.device) ? "eject" : "unbind";
      return fmt::format("{} {} {}", configure ? "bind" : release, task.device,
                         model::range_name(task.blocks));
    }
    case Task::Kind::SetKnob:
      return fmt::format("{} {}={}", task.put_back ? "put back" : "set",
                         model::knob_name(task.knob), task.value);
    case Task::Kind::Reclaim: return std::string(plan::reclaim_text(task.reclaim));
    case Task::Kind::Probe: return fmt::format("probe {:#x}", task.address);
    case Task::Kind::None: break;
  }
  return "kernel parameters";
}

Report::Result Report::result() const {
  const bool complete = std::all_of(steps.begin(), steps.end(),
                                    [](const StepReport& step) { return step.complete(); });
  if (complete) return Result::Complete;
  // A requested stop is not a failure of the machine.
  if (stop_reason == StopReason::Asked) return Result::Partly;
  const bool any = std::any_of(steps.begin(), steps.end(), [](const StepReport& step) {
    return step.done > 0 && step.kind != Task::Kind::SetKnob && step.kind != Task::Kind::Reclaim;
  });
  return any ? Result::Partly : Result::Failed;
}

Report report_of(const Program& program, const SharedProgress& shared, Ended ended,
                 double seconds) {
  Report report;
  report.block_size = program.block_size;
  report.seconds = seconds;
  report.ended = ended;
  report.stop_reason = static_cast<StopReason>(shared.head().stop_reason.load());
  for (std::size_t i = 0; i < program.tasks.size(); ++i) {
    const Task& task = program.tasks[i];
    // Its setting has the value that the plan keeps.
    if (task.put_back && shared.task(i).skipped.load()) continue;
    report.steps.push_back(step_of(task, shared, shared.task(i)));
    if (!task.writes_blocks()) continue;
    report.blocks += task.count();
    report.blocks_done += report.steps.back().done + report.steps.back().already;
  }
  if (!shared.head().finished.load() || report.stop_reason != StopReason::No)
    report.stopped_at = fmt::format("memory{}", shared.head().block.load());
  return report;
}

std::string to_text(const Report& report, std::string_view verb) {
  std::string text = headline(report, verb);
  const auto out = std::back_inserter(text);
  for (const StepReport& step : report.steps) {
    if (step.freed) text += freed_text(step);
    for (const Finding& finding : step.findings) {
      const bool of_blocks = Task::is_of_blocks(step.kind);
      fmt::format_to(out, "  step {}: {}: {}\n", step.number,
                     of_blocks ? model::range_name(finding.blocks) : step.what, finding.text);
    }
  }
  if (report.stop_reason == StopReason::Asked)
    fmt::format_to(out, "  stopped on request after {}; `memonline apply` continues from there\n",
                   report.stopped_at.value_or("the last block"));
  if (report.ended == Ended::LockHeld)
    fmt::format_to(out,
                   "  stopped at {}: another process holds the kernel's hotplug lock (an offline, "
                   "a hot-add or an eject); nothing more was tried; the next run restores the "
                   "kernel settings that this run changed temporarily\n",
                   report.stopped_at.value_or("the first block"));
  if (report.ended == Ended::Died)
    fmt::format_to(out, "  the writing process was killed at {}; nothing more was tried\n",
                   report.stopped_at.value_or("the first block"));
  return text;
}

std::string stuck_page_text(const StuckPage& stuck) {
  std::string about(stuck.use ? model::page_use_text(*stuck.use) : std::string_view());
  if (!stuck.why.empty())
    about += fmt::format("{}the kernel logged `{}`", about.empty() ? "" : "; ", stuck.why);
  if (!stuck.page) return "; blocking page: " + about;
  return fmt::format("; blocking page: pfn {:#x}{}", stuck.page->value(),
                     about.empty() ? about : " (" + about + ")");
}

std::string errno_text(int error) {
  if (const char* name = ::strerrorname_np(error)) return name;
  return fmt::format("errno {}", error);
}

std::string likely_reason(Task::Kind kind, int error) {
  const bool offline = kind == Task::Kind::Offline;
  switch (error) {
    case EINVAL:
      if (kind == Task::Kind::SetKnob) return "this kernel does not support the value";
      if (kind == Task::Kind::Configure) return "the kernel rejected this memory: see its log";
      return offline ? "the block has a hole, or pages of several zones or nodes"
                     : "the zone rules of this kernel forbid it here";
    case EBUSY:
      if (kind == Task::Kind::Configure) return "it exists already, or its addresses are in use";
      if (kind == Task::Kind::Deconfigure) return "it, or a block of the same device, is online";
      return offline ? "a page in it cannot be migrated" : "the device or a notifier is not ready";
    case EAGAIN: return "the kernel gave up after trying for 120 s";
    case ENOMEM: return "the kernel could not allocate the memory it needs for this";
    case EINTR: return "interrupted by a signal";
    case EPERM: return "a driver or the firmware forbids it";
    case EHWPOISON: return "the block has pages with hardware errors";
    case EACCES: return "this requires root";
    case EROFS: return "/sys is mounted read-only";
    case EIO: return "the firmware reported an error";
    case EOPNOTSUPP: return "the kernel was booted without memory_hotplug.memmap_on_memory";
    default: return {};
  }
}

}  // namespace memonline::apply
