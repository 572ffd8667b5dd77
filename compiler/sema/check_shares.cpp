// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/sema/checks.hpp"

namespace memonline::sema {

namespace {

using diag::Code;

constexpr std::uint64_t kWhole = 100'000'000;  // 100 percent in Percent::millionths

/// The remainder after the shares so far, for groups of any size.
class AllottedShares {
 public:
  /// Percentages round down, `normal` up. With 100 percent shared out, blocks are left over only
  /// if two or more shares rounded down.
  [[nodiscard]] bool everything() const {
    return whole_ || (percent_ >= kWhole && rounding_down_ < 2);
  }
  void add(const Share& share) {
    if (!share.amount) {
      whole_ = true;
      return;
    }
    const auto* percent = std::get_if<Percent>(&*share.amount);
    if (percent == nullptr || percent->millionths == 0) return;
    percent_ += percent->millionths;
    if (share.target != Target::Normal) ++rounding_down_;
  }

 private:
  bool whole_ = false;
  std::uint64_t percent_ = 0;
  std::size_t rounding_down_ = 0;
};

void check_rule(const Rule& rule, diag::Sink& sink) {
  AllottedShares allotted;
  const Share* full = nullptr;
  const auto look_at = [&](const Share& share) {
    if (sink.all().size() >= kMaxWarnings) return;
    if (share.amount && is_zero(*share.amount)) {
      sink.add(Code::ZeroAmount, share.span, "this share requests no memory").help =
          "remove it, or give it an amount";
      return;
    }
    if (full != nullptr) {
      sink.add(Code::ShareWithoutBlocks, share.span,
               "this share never gets a block: earlier shares request the whole group")
          .labels.push_back({full->span, "nothing is left after this"});
      return;
    }
    if (share.place == Place::Rest) return;
    allotted.add(share);
    if (allotted.everything()) full = &share;
  };
  // `rest` gets the remainder, wherever it is written.
  for (const Share& share : rule.shares)
    if (share.place != Place::Rest) look_at(share);
  for (const Share& share : rule.shares)
    if (share.place == Place::Rest) look_at(share);
}

}  // namespace

void check_shares(const Policy& policy, const source::SourceSet&, diag::Sink& sink) {
  diag::Sink found;
  for_each_rule(policy.statements, [&](const Rule& rule) {
    if (found.all().size() < kMaxWarnings) check_rule(rule, found);
  });
  sink.append(found);
}

}  // namespace memonline::sema
