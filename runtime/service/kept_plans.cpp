// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/service/kept_plans.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

namespace memonline::service {

void KeptPlans::keep(std::uint32_t uid, const std::string& digest,
                     std::shared_ptr<const plan::Plan> plan) {
  plans_.remove_if([&](const Kept& one) { return one.uid == uid && one.digest == digest; });
  plans_.push_front({uid, digest, std::move(plan)});
  if (count(uid) > kMostOfOne) drop_oldest(uid);
  if (plans_.size() > kMost) drop_oldest(who_has_most());
}

std::shared_ptr<const plan::Plan> KeptPlans::find(const std::string& digest) const {
  const auto found = std::find_if(plans_.begin(), plans_.end(),
                                  [&](const Kept& one) { return one.digest == digest; });
  return found == plans_.end() ? nullptr : found->plan;
}

std::size_t KeptPlans::count(std::uint32_t uid) const {
  return static_cast<std::size_t>(
      std::count_if(plans_.begin(), plans_.end(), [&](const Kept& one) { return one.uid == uid; }));
}

void KeptPlans::drop_oldest(std::uint32_t uid) {
  const auto oldest =
      std::find_if(plans_.rbegin(), plans_.rend(), [&](const Kept& one) { return one.uid == uid; });
  if (oldest != plans_.rend()) plans_.erase(std::next(oldest).base());
}

std::uint32_t KeptPlans::who_has_most() const {
  std::map<std::uint32_t, std::size_t> counts;
  // From the oldest on: of two with as many, the one whose plan waits longest.
  std::uint32_t most = plans_.back().uid;
  for (const Kept& one : plans_) ++counts[one.uid];
  for (auto one = plans_.rbegin(); one != plans_.rend(); ++one)
    if (counts[one->uid] > counts[most]) most = one->uid;
  return most;
}

}  // namespace memonline::service
