// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/diag/first_few.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace memonline::diag {

namespace {

constexpr std::size_t kFew = 3;

}  // namespace

std::string first_few(const std::vector<std::string>& names) {
  const std::size_t shown = std::min(names.size(), kFew);
  std::string text;
  for (std::size_t i = 0; i < shown; ++i) {
    const bool last = i + 1 == names.size();
    text += i == 0 ? "" : last ? " and " : ", ";
    text += names[i];
  }
  if (names.size() > shown) text += fmt::format(" and {} more", names.size() - shown);
  return text;
}

void add_first_few(Diagnostic& diagnostic, const std::vector<std::string>& notes) {
  const std::size_t shown = std::min(notes.size(), kFew);
  diagnostic.notes.insert(diagnostic.notes.end(), notes.begin(),
                          notes.begin() + static_cast<std::ptrdiff_t>(shown));
  if (notes.size() > shown)
    diagnostic.notes.push_back(fmt::format("and {} more like these", notes.size() - shown));
}

}  // namespace memonline::diag
