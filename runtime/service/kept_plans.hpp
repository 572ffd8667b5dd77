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

#include "compiler/plan/plan.hpp"

namespace memonline::service {

/// What is needed to apply a plan, and no more: the steps, and the facts of the host. The document
/// with its diagnostics, outcome and explanations was sent to the client.
struct PlanToApply {
  std::shared_ptr<const plan::Plan> plan;
  std::size_t bytes = 0;  ///< that it takes
};
PlanToApply plan_to_apply(plan::Plan plan);

class KeptPlans {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t kMostOfOne = 16;  ///< of one user
  static constexpr std::size_t kMost = 128;
  static constexpr std::size_t kMostBytesOfOne = std::size_t{8} << 20U;
  static constexpr std::size_t kMostBytes = std::size_t{32} << 20U;
  static constexpr std::chrono::minutes kKeptFor{10};

  /// Keeps it for this user, as the latest; the user's oldest go where they are too many, and
  /// beyond the limits of all the oldest of the user who has most. False, and it is not kept, where
  /// it alone is more than a user's share.
  bool keep(std::uint32_t uid, const std::string& digest, PlanToApply made,
            Clock::time_point now = Clock::now());
  /// Whoever it was made for: a digest names exactly one plan. Null: none.
  [[nodiscard]] std::shared_ptr<const plan::Plan> find(const std::string& digest,
                                                       Clock::time_point now = Clock::now()) const;
  /// Drops what has been kept for long enough.
  void expire(Clock::time_point now);
  /// When `expire` has something to do; empty: nothing is kept.
  [[nodiscard]] std::optional<Clock::time_point> expires_at() const;
  [[nodiscard]] std::size_t size() const { return plans_.size(); }
  [[nodiscard]] std::size_t bytes() const;

 private:
  struct Kept {
    std::uint32_t uid;
    std::string digest;
    PlanToApply made;
    Clock::time_point until;
  };
  struct Amount {
    std::size_t plans = 0, bytes = 0;
  };
  [[nodiscard]] Amount amount(std::uint32_t uid) const;
  void drop_oldest(std::uint32_t uid);
  [[nodiscard]] std::uint32_t who_has_most(std::size_t Amount::*of) const;

  std::list<Kept> plans_;  ///< the latest first
};

}  // namespace memonline::service
