// SPDX-License-Identifier: LGPL-2.1-or-later
// Which round starts when, with a clock that only these tests turn.
#include "runtime/service/round_scheduler.hpp"

#include "tests/support/catch.hpp"

namespace memonline {

using service::RoundScheduler;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Cause = RoundScheduler::Cause;
using Time = RoundScheduler::Time;

namespace {

constexpr RoundScheduler::Policy kActive{true, false, false};
constexpr Time kStart{seconds(1000)};

service::Failing failing_block() {
  return {model::WriteRun{model::BlockId(7), model::BlockId(7)}, 16, "EBUSY", "rest movable"};
}

/// The first round is over.
RoundScheduler started() {
  RoundScheduler rounds;
  rounds.want(Cause::Start, kStart);
  (void)rounds.start(kActive);
  rounds.finish();
  return rounds;
}

}  // namespace

TEST_CASE("round scheduler: one round at a time, the most urgent cause first") {
  RoundScheduler rounds = started();
  CHECK_FALSE(rounds.next());
  CHECK(rounds.is_settled());
  rounds.want(Cause::Reload, kStart);
  rounds.want(Cause::Changed, kStart);
  rounds.want(Cause::Events, kStart);
  CHECK(rounds.next() == Cause::Events);
  CHECK(rounds.start(kActive).cause == Cause::Events);
  rounds.want(Cause::Lost, kStart);
  CHECK_FALSE(rounds.next());
  CHECK(rounds.is_running());
  rounds.finish();
  CHECK(rounds.next() == Cause::Lost);
  CHECK(rounds.rounds_done() == 2);
}

TEST_CASE("round scheduler: what may write") {
  const auto writes = [](Cause cause, const RoundScheduler::Policy& policy) {
    RoundScheduler rounds = started();
    rounds.want(cause, kStart);
    return rounds.start(policy).writes;
  };
  const RoundScheduler::Policy none{false, true, false}, rezones{true, true, false},
      changed{true, false, true};
  for (const Cause cause : {Cause::Start, Cause::Events, Cause::Lost}) {
    CHECK(writes(cause, kActive));
    CHECK_FALSE(writes(cause, none));
  }
  // A policy that was changed while the service was not running waits for a reload.
  CHECK_FALSE(writes(Cause::Start, changed));
  CHECK_FALSE(writes(Cause::Changed, kActive));
  CHECK(writes(Cause::Changed, rezones));
  CHECK_FALSE(writes(Cause::Reload, rezones));
}

TEST_CASE("round scheduler: while the kernel onlines, uevents wait until it is quiet") {
  RoundScheduler rounds = started();
  Time now = kStart;
  rounds.want(Cause::Events, now);
  rounds.kernel_onlines(now);
  CHECK_FALSE(rounds.next());
  CHECK_FALSE(rounds.is_settled());
  now += milliseconds(200);
  rounds.kernel_onlines(now);
  rounds.tick(now + milliseconds(100));
  CHECK_FALSE(rounds.next());
  CHECK(rounds.due() == now + RoundScheduler::kQuiet);
  rounds.tick(now + RoundScheduler::kQuiet);
  CHECK(rounds.next() == Cause::Events);
  CHECK(rounds.start(kActive).burst == kStart);

  SECTION("but not for longer than the longest burst") {
    rounds.finish();
    rounds.want(Cause::Events, now);
    for (Time at = now; at < now + seconds(60); at += milliseconds(200)) rounds.kernel_onlines(at);
    rounds.tick(now + RoundScheduler::kMaxBurst);
    CHECK(rounds.next() == Cause::Events);
  }
  SECTION("and what is more urgent does not wait") {
    rounds.finish();
    rounds.want(Cause::Events, now);
    rounds.kernel_onlines(now);
    rounds.want(Cause::Start, now);
    CHECK(rounds.next() == Cause::Start);
  }
}

TEST_CASE("round scheduler: while another run holds the lock, only the lock is checked") {
  RoundScheduler rounds = started();
  Time now = kStart;
  rounds.uevents_lost(now);
  rounds.block_removed(model::BlockId(40));
  const auto order = rounds.start(kActive);
  CHECK(order.lost);
  CHECK(order.removed.contains(model::BlockId(40)));
  CHECK(rounds.finish_locked_out(order, "pid 1", now));
  CHECK_FALSE(rounds.next());
  CHECK_FALSE(rounds.is_busy());
  CHECK_FALSE(rounds.lock_check_is_due(now));
  now += RoundScheduler::kLockAgain;
  CHECK(rounds.due() == now);
  REQUIRE(rounds.lock_check_is_due(now));
  // One check at a time.
  CHECK_FALSE(rounds.lock_check_is_due(now));

  SECTION("its owner is known") {
    CHECK_FALSE(rounds.lock_is_held("pid 1", now));
    CHECK(rounds.lock_is_held("pid 2", now));
  }
  SECTION("a failed check is repeated") {
    rounds.lock_check_failed(now);
    CHECK(rounds.lock_check_is_due(now + RoundScheduler::kLockAgain));
  }
  SECTION("once it is free, the same round is due, and still has lost uevents") {
    rounds.lock_is_free();
    CHECK(rounds.next() == Cause::Lost);
    CHECK(rounds.start(kActive).lost);
  }
  SECTION("a reload is shown at once") {
    rounds.want(Cause::Reload, now);
    CHECK(rounds.next() == Cause::Lost);
  }
}

TEST_CASE("round scheduler: failures are retried, later each time") {
  RoundScheduler rounds = started();
  Time now = kStart;
  rounds.want(Cause::Events, now);
  rounds.wrote(rounds.start(kActive), {failing_block()}, "", now);
  rounds.finish();
  for (const seconds pause : {seconds(1), seconds(2), seconds(4)}) {
    CHECK(rounds.due() == now + pause);
    rounds.tick(now + pause - milliseconds(1));
    CHECK_FALSE(rounds.next());
    now += pause;
    rounds.tick(now);
    REQUIRE(rounds.next() == Cause::Retry);
    const auto order = rounds.start(kActive);
    CHECK(order.writes);
    rounds.wrote(order, {failing_block()}, "", now);
    rounds.finish();
  }
  CHECK(rounds.retries() == 3);

  rounds.tick(now + seconds(8));
  rounds.wrote(rounds.start(kActive), {}, "", now);
  rounds.finish();
  CHECK_FALSE(rounds.due());
  CHECK_FALSE(rounds.troubles().any());
}

TEST_CASE("round scheduler: nothing starts once the service ends") {
  RoundScheduler rounds = started();
  rounds.want(Cause::Events, kStart);
  rounds.stop();
  CHECK_FALSE(rounds.next());
  rounds.want(Cause::Lost, kStart);
  CHECK_FALSE(rounds.next());
}

}  // namespace memonline
