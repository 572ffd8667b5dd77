// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/sema/version.hpp"

#include <algorithm>

namespace memonline::sema {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Takes the next number off the front, without leading zeros; empty: the numbers have ended.
std::string_view take_number(std::string_view& text) {
  const auto* const end = std::find_if_not(text.begin(), text.end(), is_digit);
  std::string_view number = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(number.size());
  const bool whole = text.empty() || text.front() == '.' || text.front() == '-' ||
                     text.front() == '+' || text.front() == '_' || text.front() == '~';
  if (number.empty() || !whole) {
    text = {};
    return {};
  }
  if (!text.empty()) text.remove_prefix(1);
  while (number.size() > 1 && number.front() == '0') number.remove_prefix(1);
  return number;
}

}  // namespace

bool is_version(std::string_view text) {
  bool digit_before = false;
  for (char c : text) {
    if (!is_digit(c) && !(digit_before && (c == '.' || c == '-'))) return false;
    digit_before = is_digit(c);
  }
  return digit_before;
}

std::strong_ordering compare_release(std::string_view release, std::string_view version) {
  while (!version.empty()) {
    const std::string_view wanted = take_number(version);
    std::string_view given = take_number(release);
    if (given.empty()) given = "0";
    if (wanted.size() != given.size()) return given.size() <=> wanted.size();
    if (const int order = given.compare(wanted); order != 0) return order <=> 0;
  }
  return std::strong_ordering::equal;
}

}  // namespace memonline::sema
