// SPDX-License-Identifier: LGPL-2.1-or-later
// Jobs from the queue to their end, with a clock that only these tests turn and results that they
// make up.
#include "runtime/service/job_queue.hpp"

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

#include "tests/runtime/service_loop.hpp"
#include "tests/support/catch.hpp"

namespace memonline {

using service::Job;
using service::JobQueue;
using service::Now;
using service::Round;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

class Recorder final : public service::Listener {
 public:
  void view_changed(const service::View&, const service::View&) override {}
  void job_added(const Job& job) override { added.push_back(job.id); }
  void job_changed(const Job& job) override { last = job; }
  void job_removed(std::uint64_t id) override { removed.push_back(id); }
  void say(int, const std::string& message, const Fields&) override { said.push_back(message); }

  std::vector<std::uint64_t> added, removed;
  std::vector<std::string> said;
  Job last;
};

const service::Requester kRoot{0, {}}, kAnna{1000, ":1.7"}, kBert{1001, ":1.8"};
constexpr Now kStart{JobQueue::Time(seconds(1000)), runtime::BootClock::time_point(seconds(1000))};

Now after(milliseconds time) { return {kStart.steady + time, kStart.boot + time}; }

struct Queue {
  Recorder recorder;
  JobQueue jobs{recorder};
  std::vector<std::string> ran;
  std::uint64_t add(const service::Requester& who, const std::string& name) {
    return jobs.add(Job::Kind::Apply, who, 3, [this, name] {
      ran.push_back(name);
      return Round();
    });
  }
  /// Runs the next job to its end.
  void run() {
    auto [id, work] = jobs.start();
    const Round round = work();
    jobs.stopped();
    jobs.end(id, round, kStart.steady);
  }
  const Job& job(std::uint64_t id) const {
    for (const Job& one : jobs.jobs())
      if (one.id == id) return one;
    FAIL("no job " << id);
    return jobs.jobs().front();
  }
};

/// A run that ended and has to be confirmed, in a /run of its own.
class ToConfirm {
 public:
  ToConfirm() {
    root_.write("proc/sys/kernel/random/boot_id", "this boot\n");
    root_.write("run/nothing", "");
    auto directory = apply::RunDirectory::open(root_.path());
    REQUIRE(directory);
    apply::Journal journal;
    journal.block_size = std::uint64_t{128} << 20U;
    journal.run = "0123456789abcdef";
    journal.blocks = {{model::BlockId(32), model::BlockId(39), false, {}, {}}};
    REQUIRE(directory->write(journal));
    auto run = apply::Unconfirmed::of(*directory);
    REQUIRE(run);
    run_ = std::move(*run);
  }
  Round round(milliseconds within) const {
    Round round;
    round.to_confirm = {run_, within, {}};
    return round;
  }
  void confirm() {
    auto directory = apply::RunDirectory::open(root_.path());
    REQUIRE(directory->confirm("0123456789abcdef"));
  }

 private:
  test::TemporaryDirectory root_;
  std::shared_ptr<apply::Unconfirmed> run_;
};

}  // namespace

TEST_CASE("job queue: one job at a time, root's first, then each user in turn") {
  Queue queue;
  queue.add(kAnna, "anna 1");
  queue.add(kAnna, "anna 2");
  queue.add(kBert, "bert");
  queue.add(kRoot, "root");
  CHECK(queue.recorder.added == std::vector<std::uint64_t>{1, 2, 3, 4});
  while (queue.jobs.can_start()) queue.run();
  CHECK(queue.ran == std::vector<std::string>{"root", "anna 1", "bert", "anna 2"});
  CHECK_FALSE(queue.jobs.is_open());
  CHECK(queue.job(1).result == Job::Result::Done);
  CHECK(queue.recorder.said.front() == "job 4: done");
}

TEST_CASE("job queue: the next job starts when the current one has stopped") {
  Queue queue;
  const auto first = queue.add(kAnna, "first");
  queue.add(kAnna, "second");
  (void)queue.jobs.start();
  CHECK(queue.jobs.current() == first);
  CHECK_FALSE(queue.jobs.can_start());
  queue.jobs.stopped();
  CHECK(queue.jobs.can_start());
}

TEST_CASE("job queue: nobody uses up the share of others") {
  Queue queue;
  for (std::size_t i = 0; i < JobQueue::kMaxJobsOfUser; ++i) queue.add(kAnna, "");
  REQUIRE(queue.jobs.limit_reached(1000));
  CHECK(queue.jobs.limit_reached(1000)->message ==
        "too many jobs (limit 8 for uid 1000, 16 for all users)");
  CHECK_FALSE(queue.jobs.limit_reached(1001));
  for (std::size_t i = 0; i < JobQueue::kMaxJobsOfUser; ++i) queue.add(kBert, "");
  CHECK(queue.jobs.limit_reached(1002));
  CHECK_FALSE(queue.jobs.limit_reached(0));
  for (std::size_t i = 0; i < JobQueue::kMaxJobs; ++i) queue.add(kRoot, "");
  CHECK(queue.jobs.limit_reached(0)->message == "too many jobs (limit 16)");
}

TEST_CASE("job queue: a job is cancelled where it is") {
  Queue queue;
  const auto id = queue.add(kAnna, "cancelled");
  SECTION("in the queue: it never runs") {
    CHECK(*queue.jobs.cancel(id, kStart.steady) == JobQueue::Cancelled::Ended);
    CHECK_FALSE(queue.jobs.can_start());
    CHECK(queue.job(id).result == Job::Result::Cancelled);
  }
  SECTION("running: its work has to stop") {
    (void)queue.jobs.start();
    CHECK(*queue.jobs.cancel(id, kStart.steady) == JobQueue::Cancelled::Stops);
    CHECK(queue.job(id).stage == Job::Stage::Cancelling);
  }
  SECTION("waiting for confirmation: it is reverted") {
    const ToConfirm run;
    (void)queue.jobs.start();
    queue.jobs.stopped();
    queue.jobs.await_confirmation(id, run.round(minutes(1)), kStart);
    CHECK(*queue.jobs.cancel(id, kStart.steady) == JobQueue::Cancelled::Reverts);
    CHECK(queue.jobs.must_revert());
    CHECK_FALSE(queue.jobs.confirming());
  }
  SECTION("done: there is nothing to cancel") {
    queue.run();
    CHECK(queue.jobs.cancel(id, kStart.steady).error().message ==
          "job 1 is done or does not exist");
  }
}

TEST_CASE("job queue: a job waits for its confirmation, and others wait for it") {
  Queue queue;
  ToConfirm run;
  const auto id = queue.add(kAnna, "waits");
  queue.add(kBert, "next");
  (void)queue.jobs.start();
  queue.jobs.stopped();
  queue.jobs.await_confirmation(id, run.round(minutes(1)), kStart);
  CHECK(queue.job(id).stage == Job::Stage::Confirming);
  CHECK(queue.job(id).undone_at == kStart.boot + minutes(1));
  CHECK(queue.jobs.unconfirmed_blocks().contains(model::BlockId(39)));
  CHECK_FALSE(queue.jobs.can_start());

  SECTION("confirmed by a call") {
    CHECK(queue.jobs.confirm(id + 1, kStart.steady).error().message ==
          "job 2 is no longer waiting for confirmation");
    CHECK(*queue.jobs.confirm(id, kStart.steady) == id);
    CHECK(queue.job(id).result == Job::Result::Done);
    CHECK(queue.jobs.can_start());
    CHECK_FALSE(queue.jobs.confirm(std::nullopt, kStart.steady));
  }
  SECTION("confirmed by another process") {
    CHECK_FALSE(queue.jobs.look_for_confirmation(after(milliseconds(600))));
    run.confirm();
    CHECK_FALSE(queue.jobs.look_for_confirmation(after(milliseconds(700))));
    CHECK(queue.jobs.confirming() == id);
    CHECK(queue.jobs.due() == after(milliseconds(1100)).steady);
    CHECK_FALSE(queue.jobs.look_for_confirmation(after(milliseconds(1100))));
    CHECK(queue.job(id).stage == Job::Stage::Done);
  }
  SECTION("with more time") {
    CHECK(*queue.jobs.adjust_timeout(id, minutes(5), after(seconds(30))) == id);
    CHECK_FALSE(queue.jobs.look_for_confirmation(after(minutes(2))));
    CHECK_FALSE(queue.jobs.must_revert());
    CHECK_FALSE(queue.jobs.look_for_confirmation(after(seconds(331))));
    CHECK(queue.jobs.must_revert());
  }
  SECTION("not in time, which also passes in suspend") {
    CHECK_FALSE(queue.jobs.look_for_confirmation(
        {kStart.steady + milliseconds(500), kStart.boot + minutes(2)}));
    CHECK(queue.jobs.must_revert());
    CHECK_FALSE(queue.job(id).undone_at);
    (void)queue.jobs.start_reverting();
    CHECK(queue.jobs.current() == id);
    Round undone;
    undone.undone = apply::Report();
    const auto [reverted, round] = queue.jobs.reverted(undone);
    queue.jobs.stopped();
    queue.jobs.end(reverted, round, kStart.steady);
    CHECK(queue.job(id).result == Job::Result::Undone);
    CHECK(queue.jobs.can_start());
  }
}

TEST_CASE("job queue: a job that is cancelled while it runs is reverted, not confirmed") {
  Queue queue;
  const ToConfirm run;
  const auto id = queue.add(kAnna, "");
  (void)queue.jobs.start();
  CHECK(queue.jobs.cancel(id, kStart.steady));
  queue.jobs.stopped();
  queue.jobs.await_confirmation(id, run.round(minutes(1)), kStart);
  CHECK(queue.jobs.must_revert());
}

TEST_CASE("job queue: done jobs are kept for ten minutes, and at most sixteen") {
  Queue queue;
  for (std::size_t i = 0; i < JobQueue::kKeptJobs + 2; ++i) {
    queue.add(kRoot, "");
    queue.run();
  }
  CHECK(queue.recorder.removed == std::vector<std::uint64_t>{1, 2});
  CHECK(queue.jobs.due() == kStart.steady + minutes(10));
  queue.jobs.drop_old(kStart.steady + minutes(10));
  CHECK(queue.jobs.jobs().empty());
  CHECK_FALSE(queue.jobs.due());
}

namespace {

/// The round of an unplug of which this became of memory42.
Round unplug_of(apply::Outcome outcome, int error,
                apply::Task::Kind kind = apply::Task::Kind::Offline) {
  Round round;
  apply::Report report;
  apply::StepReport step;
  step.kind = kind;
  step.wanted = 2;
  apply::Finding stuck;
  stuck.blocks = {model::BlockId(42), model::BlockId(42)};
  stuck.result.outcome = outcome;
  stuck.result.error = static_cast<std::uint8_t>(error);
  stuck.text = "EBUSY after 6 tries";
  apply::Finding back;
  back.blocks = {model::BlockId(43), model::BlockId(43)};
  back.result.outcome = apply::Outcome::TakenBack;
  back.result.put_back = true;
  step.findings = {stuck, back};
  report.steps = {step};
  round.reports = {report};
  return round;
}

/// A job that may be tried again for ten minutes.
std::uint64_t add_unplug(Queue& q) {
  const auto id = q.add(kAnna, "unplug");
  q.jobs.let_retry(
      id, kAnna,
      [&q] {
        q.ran.emplace_back("again");
        return Round();
      },
      minutes(10), kStart.steady);
  return id;
}

void fail_now(Queue& q, const Round& round, Now now) {
  const auto [id, work] = q.jobs.start();
  (void)work();
  q.jobs.stopped();
  q.jobs.end(id, round, now.steady);
}

const Round kInUse = unplug_of(apply::Outcome::Refused, EBUSY);

}  // namespace

TEST_CASE("job queue: an unplug whose blocks are in use is tried again, after longer pauses") {
  Queue q;
  const auto id = add_unplug(q);
  seconds now{0};
  for (const int pause : {15, 30, 60, 120, 240, 135}) {
    fail_now(q, kInUse, after(now));
    CHECK(q.job(id).stage == Job::Stage::Waiting);
    CHECK(q.job(id).error.find(fmt::format("memory42: EBUSY after 6 tries; next attempt in {} s",
                                           pause)) != std::string::npos);
    REQUIRE(q.jobs.due() == after(now + seconds(pause)).steady);
    CHECK_FALSE(q.jobs.can_start());
    now += seconds(pause);
    q.jobs.resume(after(now - seconds(1)).steady);
    CHECK_FALSE(q.jobs.can_start());
    q.jobs.resume(after(now).steady);
    CHECK(q.jobs.can_start());
    CHECK(q.job(id).error.empty());
  }
  // Its time is over.
  fail_now(q, kInUse, after(now));
  CHECK(q.job(id).stage == Job::Stage::Done);
  CHECK(q.job(id).result != Job::Result::Done);
  CHECK(q.job(id).attempts == 7);
  CHECK(std::any_of(q.recorder.said.begin(), q.recorder.said.end(), [](const std::string& line) {
    return line.find("no more retries after attempt 7: memory42: EBUSY") != std::string::npos;
  }));
}

TEST_CASE("job queue: other jobs run between two attempts, and one that succeeds is the last") {
  Queue q;
  const auto id = add_unplug(q);
  fail_now(q, kInUse, kStart);
  q.add(kBert, "other");
  q.run();
  q.jobs.resume(after(seconds(15)).steady);
  q.run();
  CHECK(q.ran == std::vector<std::string>{"unplug", "other", "again"});
  CHECK(q.job(id).stage == Job::Stage::Done);
  CHECK(q.job(id).result == Job::Result::Done);
  CHECK(q.jobs.due() == after(minutes(10)).steady);  // when the done jobs are forgotten
}

TEST_CASE("job queue: no other failure is tried again") {
  Round stale;
  stale.stale = true;
  Round problem = kInUse;
  problem.problem = "no journal";
  for (const Round& round :
       {stale, problem, unplug_of(apply::Outcome::Refused, EPERM),
        unplug_of(apply::Outcome::Vanished, ENODEV),
        unplug_of(apply::Outcome::Refused, EBUSY, apply::Task::Kind::Online)}) {
    Queue q;
    const auto id = add_unplug(q);
    fail_now(q, round, kStart);
    CHECK(q.job(id).stage == Job::Stage::Done);
  }
  Queue q;
  const auto id = q.add(kAnna, "not to be tried again");
  fail_now(q, kInUse, kStart);
  CHECK(q.job(id).stage == Job::Stage::Done);
}

TEST_CASE("job queue: of done jobs, those go first that ended first, not that began first") {
  Queue q;
  const auto id = add_unplug(q);
  fail_now(q, kInUse, kStart);
  CHECK_FALSE(q.jobs.is_open());
  for (std::size_t i = 0; i < JobQueue::kKeptJobs; ++i) {
    q.add(kBert, "short");
    q.run();
  }
  q.jobs.resume(after(minutes(9)).steady);
  const auto [again, work] = q.jobs.start();
  q.jobs.stopped();
  q.jobs.end(again, work(), after(minutes(9)).steady);
  CHECK(q.job(id).result == Job::Result::Done);
  CHECK(q.recorder.removed == std::vector<std::uint64_t>{id + 1});
  q.jobs.drop_old(after(minutes(10)).steady);
  CHECK(q.jobs.due() == after(minutes(19)).steady);
}

TEST_CASE("job queue: neither a failed reclaim nor another run ends the retries") {
  Round round = kInUse;
  apply::StepReport reclaim;
  reclaim.kind = apply::Task::Kind::Reclaim;
  apply::Finding refused;
  refused.result.outcome = apply::Outcome::Refused;
  refused.result.error = ENOENT;
  reclaim.findings = {refused};
  round.reports.back().steps.insert(round.reports.back().steps.begin(), reclaim);
  Round busy;
  busy.busy = "memonline apply (process 12)";
  for (const Round& one : {round, busy}) {
    Queue q;
    const auto id = add_unplug(q);
    fail_now(q, one, kStart);
    CHECK(q.job(id).stage == Job::Stage::Waiting);
  }
}

TEST_CASE("job queue: a job that waits for its next attempt can be cancelled") {
  Queue q;
  const auto id = add_unplug(q);
  fail_now(q, kInUse, kStart);
  CHECK(*q.jobs.cancel(id, kStart.steady) == JobQueue::Cancelled::Ended);
  CHECK(q.job(id).result == Job::Result::Cancelled);
  q.jobs.resume(after(minutes(1)).steady);
  CHECK_FALSE(q.jobs.can_start());
}

TEST_CASE("job queue: progress shows on the current job") {
  Queue queue;
  const auto id = queue.add(kAnna, "");
  service::PendingWrites::Progress progress;
  (void)queue.jobs.start();
  queue.jobs.show_progress(progress);
  CHECK(queue.job(id).stage == Job::Stage::Queued);
  progress.steps = 2;
  progress.blocks = 8;
  progress.blocks_done = 5;
  progress.step = "online_movable memory39..32";
  queue.jobs.show_progress(progress);
  CHECK(queue.job(id).stage == Job::Stage::Running);
  CHECK(queue.job(id).blocks_done == 5);
  CHECK(queue.recorder.last.step == "online_movable memory39..32");
}

}  // namespace memonline
