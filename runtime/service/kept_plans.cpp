// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/service/kept_plans.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "runtime/apply/plan_file.hpp"
#include "runtime/base/deflate.hpp"

namespace memonline::service {

std::size_t KeptPlan::bytes() const { return sizeof *this + document.capacity(); }

std::optional<KeptPlan> kept_plan(const std::string& document, const plan::Plan& plan) {
  if (document.size() > apply::kMaxPlanSize) return std::nullopt;
  auto stream = runtime::deflate(document);
  if (!stream) return std::nullopt;
  stream->shrink_to_fit();
  return KeptPlan{std::move(*stream), summarize(plan)};
}

Result<plan::Plan, std::string> plan_in(const KeptPlan& kept) {
  const auto text = runtime::inflate(kept.document, apply::kMaxPlanSize);
  if (!text) return fail(std::string(runtime::message_of(text.error())));
  auto plan = apply::read_plan(*text, "<kept>");
  if (!plan) return fail(plan.error().message);
  return std::move(*plan);
}

bool KeptPlans::keep(std::uint32_t uid, const std::string& digest, KeptPlan plan,
                     Clock::time_point now) {
  constexpr auto kAll = Clock::time_point::max();
  expire(now);
  plans_.remove_if([&](const Kept& one) { return one.uid == uid && one.digest == digest; });
  if (plan.bytes() > kMaxBytesOfOne) return false;
  plans_.push_front({uid, digest, std::make_shared<const KeptPlan>(std::move(plan)), now});
  for (Amount own = amount(kAll, uid); own.plans > kMaxOfOne || own.bytes > kMaxBytesOfOne;
       own = amount(kAll, uid))
    drop_oldest(uid);
  while (plans_.size() > kMax) drop_oldest(who_has_most(&Amount::plans, kAll));
  while (bytes() > kMaxBytes) drop_oldest(who_has_most(&Amount::bytes, kAll));
  return true;
}

std::shared_ptr<const KeptPlan> KeptPlans::find(const std::string& digest,
                                                Clock::time_point now) const {
  const auto found = std::find_if(plans_.begin(), plans_.end(), [&](const Kept& one) {
    return one.digest == digest && one.since + kKeptFor > now;
  });
  return found == plans_.end() ? nullptr : found->plan;
}

// The latest is the first, so the oldest are last.
void KeptPlans::expire(Clock::time_point now) {
  expired_ = now;
  while (!plans_.empty() && plans_.back().since + kKeptFor <= now) plans_.pop_back();
  while (amount(now - kLater).plans > kMaxLater)
    drop_oldest(who_has_most(&Amount::plans, now - kLater));
  while (amount(now - kLater).bytes > kMaxBytesLater)
    drop_oldest(who_has_most(&Amount::bytes, now - kLater));
}

std::optional<KeptPlans::Clock::time_point> KeptPlans::expires_at() const {
  if (plans_.empty()) return std::nullopt;
  const auto end = plans_.back().since + kKeptFor;
  if (plans_.size() <= kMaxLater && bytes() <= kMaxBytesLater) return end;
  const auto next = std::find_if(plans_.rbegin(), plans_.rend(),
                                 [&](const Kept& one) { return one.since + kLater > expired_; });
  return next == plans_.rend() ? end : std::min(end, next->since + kLater);
}

std::size_t KeptPlans::bytes() const { return amount(Clock::time_point::max()).bytes; }

KeptPlans::Amount KeptPlans::amount(Clock::time_point since,
                                    std::optional<std::uint32_t> uid) const {
  Amount amount;
  for (const Kept& one : plans_) {
    if (one.since > since || (uid && one.uid != *uid)) continue;
    ++amount.plans;
    amount.bytes += one.plan->bytes();
  }
  return amount;
}

void KeptPlans::drop_oldest(std::uint32_t uid) {
  const auto oldest =
      std::find_if(plans_.rbegin(), plans_.rend(), [&](const Kept& one) { return one.uid == uid; });
  if (oldest != plans_.rend()) plans_.erase(std::next(oldest).base());
}

std::uint32_t KeptPlans::who_has_most(std::size_t Amount::*of, Clock::time_point since) const {
  std::map<std::uint32_t, std::size_t> amounts;
  for (const Kept& one : plans_)
    if (!amounts.contains(one.uid)) amounts[one.uid] = amount(since, one.uid).*of;
  const auto rank = [&](std::uint32_t uid) {
    return std::pair(uid != 0 && amounts[uid] > 0, amounts[uid]);
  };
  // From the oldest on: of two users with equal amounts, the one with the older plan.
  std::uint32_t most = plans_.back().uid;
  for (auto one = plans_.rbegin(); one != plans_.rend(); ++one)
    if (rank(one->uid) > rank(most)) most = one->uid;
  return most;
}

}  // namespace memonline::service
