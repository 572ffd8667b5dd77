// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/text/listed.hpp"

#include <fmt/format.h>

namespace memonline {

std::string listed(const std::vector<std::string_view>& words, std::string_view conjunction) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? fmt::format(" {} ", conjunction) : ", ";
    text += fmt::format("`{}`", words[i]);
  }
  return text;
}

}  // namespace memonline
