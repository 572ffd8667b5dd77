// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/service/kept_plans.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>
#include <variant>
#include <vector>

namespace memonline::service {

namespace {

std::size_t bytes_of(const std::string& text) { return text.capacity(); }

std::size_t bytes_of(const std::vector<std::string>& texts) {
  std::size_t bytes = texts.capacity() * sizeof(std::string);
  for (const std::string& text : texts) bytes += bytes_of(text);
  return bytes;
}

std::size_t bytes_of(const plan::Step& step) {
  std::size_t bytes = sizeof step + bytes_of(step.rule.text);
  if (const auto* set = std::get_if<plan::SetKnob>(&step.action))
    bytes += bytes_of(set->knob) + bytes_of(set->value) + bytes_of(set->before);
  if (const auto* set = std::get_if<plan::SetParameters>(&step.action))
    bytes += bytes_of(set->set) + bytes_of(set->remove);
  return bytes;
}

std::size_t bytes_of(const plan::Plan& plan) {
  std::size_t bytes = sizeof plan + bytes_of(plan.host.facts);
  for (const plan::Step& step : plan.steps) bytes += bytes_of(step);
  return bytes;
}

}  // namespace

PlanToApply plan_to_apply(plan::Plan plan) {
  auto kept = std::make_shared<plan::Plan>();
  kept->host = std::move(plan.host);
  kept->steps = std::move(plan.steps);
  kept->steps.shrink_to_fit();
  kept->host.facts.shrink_to_fit();
  for (plan::Step& step : kept->steps) {
    step.why = {};
    step.rule.path = {};
  }
  const std::size_t bytes = bytes_of(*kept);
  return {std::move(kept), bytes};
}

bool KeptPlans::keep(std::uint32_t uid, const std::string& digest, PlanToApply made,
                     Clock::time_point now) {
  expire(now);
  plans_.remove_if([&](const Kept& one) { return one.uid == uid && one.digest == digest; });
  if (made.bytes > kMostBytesOfOne) return false;
  plans_.push_front({uid, digest, std::move(made), now + kKeptFor});
  for (Amount own = amount(uid); own.plans > kMostOfOne || own.bytes > kMostBytesOfOne;
       own = amount(uid))
    drop_oldest(uid);
  while (plans_.size() > kMost) drop_oldest(who_has_most(&Amount::plans));
  while (bytes() > kMostBytes) drop_oldest(who_has_most(&Amount::bytes));
  return true;
}

std::shared_ptr<const plan::Plan> KeptPlans::find(const std::string& digest,
                                                  Clock::time_point now) const {
  const auto found = std::find_if(plans_.begin(), plans_.end(), [&](const Kept& one) {
    return one.digest == digest && one.until > now;
  });
  return found == plans_.end() ? nullptr : found->made.plan;
}

// The latest is the first, so the oldest are last.
void KeptPlans::expire(Clock::time_point now) {
  while (!plans_.empty() && plans_.back().until <= now) plans_.pop_back();
}

std::optional<KeptPlans::Clock::time_point> KeptPlans::expires_at() const {
  if (plans_.empty()) return std::nullopt;
  return plans_.back().until;
}

std::size_t KeptPlans::bytes() const {
  std::size_t bytes = 0;
  for (const Kept& one : plans_) bytes += one.made.bytes;
  return bytes;
}

KeptPlans::Amount KeptPlans::amount(std::uint32_t uid) const {
  Amount amount;
  for (const Kept& one : plans_) {
    if (one.uid != uid) continue;
    ++amount.plans;
    amount.bytes += one.made.bytes;
  }
  return amount;
}

void KeptPlans::drop_oldest(std::uint32_t uid) {
  const auto oldest =
      std::find_if(plans_.rbegin(), plans_.rend(), [&](const Kept& one) { return one.uid == uid; });
  if (oldest != plans_.rend()) plans_.erase(std::next(oldest).base());
}

std::uint32_t KeptPlans::who_has_most(std::size_t Amount::*of) const {
  std::map<std::uint32_t, std::size_t> amounts;
  for (const Kept& one : plans_)
    if (!amounts.contains(one.uid)) amounts[one.uid] = amount(one.uid).*of;
  // From the oldest on: of two with as many, the one whose plan waits longest.
  std::uint32_t most = plans_.back().uid;
  for (auto one = plans_.rbegin(); one != plans_.rend(); ++one)
    if (amounts[one->uid] > amounts[most]) most = one->uid;
  return most;
}

}  // namespace memonline::service
