// SPDX-License-Identifier: LGPL-2.1-or-later
// The plans that were made lately, so that a client can have one applied by its digest. Each user
// has a share, in plans and in bytes: a user who asks for many plans loses own ones, never what
// another user looks at. They are kept for ten minutes.
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

/// A plan as it is kept: compressed, in one piece, which takes a tenth of a plan's memory and no
/// pages that others are on.
struct KeptPlan {
  std::string document;  ///< JSON, compressed (runtime/base/deflate.hpp)
  PlanSummary summary;
  [[nodiscard]] std::size_t bytes() const;
};
/// None where it is longer than any plan that is read, or zlib is missing.
std::optional<KeptPlan> kept_plan(const std::string& document, const plan::Plan& plan);
/// The plan in it. Takes time: not in the loop's thread.
Result<plan::Plan, std::string> plan_in(const KeptPlan& kept);

class KeptPlans {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t kMostOfOne = 16;  ///< of one user
  static constexpr std::size_t kMost = 128;
  static constexpr std::size_t kMostBytesOfOne = std::size_t{8} << 20U;
  static constexpr std::size_t kMostBytes = std::size_t{32} << 20U;
  static constexpr std::chrono::minutes kKeptFor{10};
  /// Of those that are older than this, fewer are kept. So there is time to apply a plan of any
  /// size, and the service is small again soon after many callers have asked for plans.
  static constexpr std::size_t kMostLater = 16;
  static constexpr std::size_t kMostBytesLater = std::size_t{128} << 10U;
  static constexpr std::chrono::seconds kLater{30};

  /// Keeps it for this user, as the latest; the user's oldest go where they are too many, and
  /// beyond the limits of all the oldest of the user who has most, root last. False, and it is not
  /// kept, where it alone is more than a user's share.
  bool keep(std::uint32_t uid, const std::string& digest, KeptPlan plan,
            Clock::time_point now = Clock::now());
  /// Whoever it was made for: a digest names exactly one plan. Null: none.
  [[nodiscard]] std::shared_ptr<const KeptPlan> find(const std::string& digest,
                                                     Clock::time_point now = Clock::now()) const;
  /// Drops what has been kept for long enough, given its size.
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
  /// Of those that came then or earlier: of this user, or of all.
  [[nodiscard]] Amount amount(Clock::time_point since,
                              std::optional<std::uint32_t> uid = std::nullopt) const;
  void drop_oldest(std::uint32_t uid);
  [[nodiscard]] std::uint32_t who_has_most(std::size_t Amount::*of, Clock::time_point since) const;

  std::list<Kept> plans_;        ///< the latest first
  Clock::time_point expired_{};  ///< when `expire` was called last
};

}  // namespace memonline::service
