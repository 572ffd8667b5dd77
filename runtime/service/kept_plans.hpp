// SPDX-License-Identifier: LGPL-2.1-or-later
// The plans that were made lately, so that a client can have one applied by its digest. Each user
// has a share: whoever asks for many plans loses his own, never what somebody else looks at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>

#include "compiler/plan/plan.hpp"

namespace memonline::service {

class KeptPlans {
 public:
  static constexpr std::size_t kMostOfOne = 16;  ///< of one user
  static constexpr std::size_t kMost = 128;

  /// Keeps it for this user, as the latest; the user's oldest goes where that is one too many, and
  /// beyond kMost the oldest of who has most.
  void keep(std::uint32_t uid, const std::string& digest, std::shared_ptr<const plan::Plan> plan);
  /// Whoever it was made for: a digest names exactly one plan. Null: none.
  [[nodiscard]] std::shared_ptr<const plan::Plan> find(const std::string& digest) const;
  [[nodiscard]] std::size_t size() const { return plans_.size(); }

 private:
  struct Kept {
    std::uint32_t uid;
    std::string digest;
    std::shared_ptr<const plan::Plan> plan;
  };
  [[nodiscard]] std::size_t count(std::uint32_t uid) const;
  void drop_oldest(std::uint32_t uid);
  [[nodiscard]] std::uint32_t who_has_most() const;

  std::list<Kept> plans_;  ///< the latest first
};

}  // namespace memonline::service
