// SPDX-License-Identifier: LGPL-2.1-or-later
// Recent plans, so that a client can apply one by its digest. Each user has a share, in plans and
// in bytes: a user who requests many plans loses own plans, never those of another user. They are
// kept for ten minutes.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "compiler/base/result.hpp"
#include "compiler/plan/plan.hpp"
#include "runtime/service/plan_summary.hpp"

namespace memonline::service {

/// A kept plan: compressed, in one allocation, which takes a tenth of a plan's memory and does not
/// pin the pages of other allocations.
struct KeptPlan {
  std::string document;  ///< JSON, compressed (runtime/base/deflate.hpp)
  PlanSummary summary;
  [[nodiscard]] std::size_t bytes() const;
};
/// None if it exceeds the limit for plans, or zlib is missing.
std::optional<KeptPlan> kept_plan(const std::string& document, const plan::Plan& plan);
/// The plan in it. Slow: not for the loop's thread.
Result<plan::Plan, std::string> plan_in(const KeptPlan& kept);

class KeptPlans {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t kMaxOfOne = 16;  ///< of one user
  static constexpr std::size_t kMax = 128;
  static constexpr std::size_t kMaxBytesOfOne = std::size_t{8} << 20U;
  static constexpr std::size_t kMaxBytes = std::size_t{32} << 20U;
  static constexpr std::chrono::minutes kKeptFor{10};
  /// Of plans older than kLater, fewer are kept. So there is time to apply a plan of any size, and
  /// the service is small again soon after many callers have requested plans.
  static constexpr std::size_t kMaxLater = 16;
  static constexpr std::size_t kMaxBytesLater = std::size_t{128} << 10U;
  static constexpr std::chrono::seconds kLater{30};

  /// Keeps a plan for this user, as the latest. Beyond the user's share, the user's oldest plans
  /// are dropped; beyond the total limits, the oldest of the user who has most, root last. False,
  /// and the plan is not kept, if it alone exceeds a user's share.
  bool keep(std::uint32_t uid, const std::string& digest, KeptPlan plan,
            Clock::time_point now = Clock::now());
  /// The plan of any user with this digest, which names exactly one plan. Null: none.
  [[nodiscard]] std::shared_ptr<const KeptPlan> find(const std::string& digest,
                                                     Clock::time_point now = Clock::now()) const;
  /// Drops plans that have been kept for long enough, given their size.
  void expire(Clock::time_point now);
  /// When `expire` has something to do; empty: nothing is kept.
  [[nodiscard]] std::optional<Clock::time_point> expires_at() const;
  [[nodiscard]] std::size_t size() const { return plans_.size(); }
  [[nodiscard]] std::size_t bytes() const;

 private:
  struct Amount {
    std::size_t plans = 0, bytes = 0;
  };
  struct Kept {
    std::uint32_t uid;
    std::string digest;
    std::shared_ptr<const KeptPlan> plan;
    Clock::time_point since;
  };
  /// Of plans from `since` or earlier: of this user, or of all.
  [[nodiscard]] Amount amount(Clock::time_point since,
                              std::optional<std::uint32_t> uid = std::nullopt) const;
  void drop_oldest(std::uint32_t uid);
  [[nodiscard]] std::uint32_t who_has_most(std::size_t Amount::*of, Clock::time_point since) const;

  std::list<Kept> plans_;        ///< the latest first
  Clock::time_point expired_{};  ///< the last call of `expire`
};

}  // namespace memonline::service
