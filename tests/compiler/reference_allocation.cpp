// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/compiler/reference_allocation.hpp"

#include <algorithm>
#include <cmath>

namespace memonline::test {

using sema::Place;
using sema::Share;
using sema::Target;

namespace {

std::size_t asked(const Share& share, std::size_t n, std::uint64_t block_size) {
  if (!share.amount) return n;
  double exact = 0;
  if (const auto* percent = std::get_if<sema::Percent>(&*share.amount)) {
    // What differs from a whole number by less than the last decimal of the percentage is one.
    const auto last_decimal = static_cast<double>(n) / 1e8;
    exact = static_cast<double>(n) * static_cast<double>(percent->millionths) / 1e8;
    if (std::abs(exact - std::round(exact)) < last_decimal - 1e-12) exact = std::round(exact);
  }
  if (const auto* bytes = std::get_if<model::Bytes>(&*share.amount))
    exact = static_cast<double>(bytes->value()) / static_cast<double>(block_size);
  if (const auto* blocks = std::get_if<sema::Blocks>(&*share.amount))
    exact = static_cast<double>(blocks->count);
  return static_cast<std::size_t>(share.target == Target::Normal ? std::ceil(exact - 1e-9)
                                                                 : std::floor(exact + 1e-9));
}

char mark_of(Target target) {
  switch (target) {
    case Target::Normal: return 'N';
    case Target::Movable: return 'M';
    case Target::Auto: return 'a';
    case Target::Offline:
    case Target::Keep: break;
  }
  return '.';
}

}  // namespace

std::string reference_allocation(const std::string& before, const std::vector<Share>& shares,
                                 std::uint64_t block_size) {
  const std::size_t n = before.size();
  std::vector<std::size_t> owed(shares.size());
  std::size_t left = n;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (shares[i].place == Place::Rest) continue;
    owed[i] = std::min(asked(shares[i], n, block_size), left);
    left -= owed[i];
  }
  for (std::size_t i = 0; i < shares.size(); ++i)
    if (shares[i].place == Place::Rest) owed[i] = left;

  auto normal = static_cast<std::size_t>(std::count(before.begin(), before.end(), 'N'));
  auto movable = static_cast<std::size_t>(std::count(before.begin(), before.end(), 'M'));
  const auto credit = [&](std::size_t i, std::size_t& online) {
    const std::size_t counted = std::min(owed[i], online);
    owed[i] -= counted;
    online -= counted;
  };
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (shares[i].target == Target::Normal) credit(i, normal);
    if (shares[i].target == Target::Movable) credit(i, movable);
  }
  for (std::size_t i = 0; i < shares.size(); ++i)
    if (shares[i].target == Target::Auto) {
      credit(i, normal);
      credit(i, movable);
    }

  auto offline = static_cast<std::size_t>(std::count(before.begin(), before.end(), '.'));
  std::vector<std::size_t> gets(shares.size());
  for (const bool normal_turn : {true, false})
    for (std::size_t i = 0; i < shares.size(); ++i) {
      if ((shares[i].target == Target::Normal) != normal_turn) continue;
      gets[i] = std::min(owed[i], offline);
      offline -= gets[i];
    }

  std::string line;  // what the offline blocks become, in address order
  const auto lay = [&](std::size_t i) { line.append(gets[i], mark_of(shares[i].target)); };
  const auto lay_all = [&](auto&& wanted) {
    for (std::size_t i = 0; i < shares.size(); ++i)
      if (wanted(shares[i])) lay(i);
  };
  lay_all([](const Share& s) { return s.place == Place::First; });
  lay_all([](const Share& s) { return s.place == Place::Unplaced && s.target == Target::Normal; });
  lay_all([](const Share& s) { return s.place == Place::Rest; });
  line.append(offline, '.');
  lay_all([](const Share& s) { return s.place == Place::Unplaced && s.target != Target::Normal; });
  for (std::size_t i = shares.size(); i-- > 0;)
    if (shares[i].place == Place::Last) lay(i);

  std::string after = before;
  std::size_t next = 0;
  for (char& block : after)
    if (block == '.') block = line[next++];
  return after;
}

}  // namespace memonline::test
