// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/service/round_scheduler.hpp"

#include <algorithm>
#include <utility>

namespace memonline::service {

void RoundScheduler::want(Cause cause, Time now) {
  if (ending_) return;
  if (cause == Cause::Events && !burst_began_) burst_began_ = now;
  if (!wanted_ || cause < *wanted_) wanted_ = cause;
  // A reloaded policy is shown even while another run holds the lock.
  if (cause == Cause::Reload) lock_wait_.reset();
}

void RoundScheduler::uevents_lost(Time now) {
  lost_ = true;
  want(Cause::Lost, now);
}

// A round would wait for the kernel's hotplug lock, polling it every 5 ms
// (lock_device_hotplug_sysfs()), and then find nothing to do.
void RoundScheduler::kernel_onlines(Time now) {
  // Not at each of its thousands of events.
  if (quiet_at_ && now + kQuiet - *quiet_at_ < kQuiet / 4) return;
  quiet_at_ = std::min<Time>(now + kQuiet, burst_began_.value_or(now) + kMaxBurst);
}

std::optional<RoundScheduler::Cause> RoundScheduler::next() const {
  const bool kernel_goes_first = quiet_at_ && wanted_ == Cause::Events;
  if (running_ || ending_ || lock_wait_ || kernel_goes_first) return std::nullopt;
  return wanted_;
}

RoundScheduler::Order RoundScheduler::start(const Policy& policy) {
  Order order;
  order.cause = wanted_.value_or(Cause::Changed);
  wanted_.reset();
  running_ = true;
  switch (order.cause) {
    case Cause::Reload: break;
    case Cause::Changed: order.writes = policy.rezones; break;
    case Cause::Retry: order.writes = troubles_.is_written(); break;
    case Cause::Start: order.writes = !policy.changed; break;
    case Cause::Events:
    case Cause::Lost: order.writes = true; break;
  }
  order.writes = order.writes && policy.active;
  troubles_.trying(order.writes);
  if (order.cause == Cause::Retry) ++retries_;
  order.burst = std::exchange(burst_began_, std::nullopt);
  order.lost = std::exchange(lost_, false);
  order.removed = std::exchange(removed_, {});
  quiet_at_.reset();
  return order;
}

void RoundScheduler::finish() {
  running_ = false;
  lock_wait_.reset();
  ++rounds_done_;
}

bool RoundScheduler::finish_locked_out(const Order& order, const std::string& owner, Time now) {
  running_ = false;
  ++rounds_done_;
  if (!wanted_ || order.cause < *wanted_) wanted_ = order.cause;
  lost_ = lost_ || order.lost;
  if (order.burst) burst_began_ = order.burst;
  return lock_is_held(owner, now);
}

bool RoundScheduler::lock_check_is_due(Time now) {
  if (!lock_wait_ || !lock_wait_->at || *lock_wait_->at > now) return false;
  lock_wait_->at.reset();
  return true;
}

bool RoundScheduler::lock_is_held(const std::string& owner, Time now) {
  const bool is_new = !lock_wait_ || lock_wait_->owner != owner;
  lock_wait_ = LockWait{owner, now + kLockAgain};
  return is_new;
}

void RoundScheduler::lock_check_failed(Time now) {
  if (lock_wait_) lock_wait_->at = now + kLockAgain;
}

void RoundScheduler::wrote(const Order& order, std::vector<Failing> failing, std::string problem,
                           Time now) {
  troubles_.wrote(std::move(failing), std::move(problem), order.cause == Cause::Events, now);
}

void RoundScheduler::scanned(std::string problem, Time now) {
  troubles_.looked(std::move(problem), now);
}

std::optional<RoundScheduler::Time> RoundScheduler::due() const {
  std::optional<Time> at = quiet_at_;
  const auto consider = [&](std::optional<Time> other) {
    if (other && (!at || *other < *at)) at = other;
  };
  if (lock_wait_)
    consider(lock_wait_->at);
  else if (!running_)
    consider(troubles_.retry_at());
  return at;
}

void RoundScheduler::tick(Time now) {
  const auto retry = troubles_.retry_at();
  if (!lock_wait_ && !running_ && retry && *retry <= now) want(Cause::Retry, now);
  if (quiet_at_ && *quiet_at_ <= now) quiet_at_.reset();
}

}  // namespace memonline::service
