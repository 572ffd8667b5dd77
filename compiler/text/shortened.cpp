// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/text/shortened.hpp"

namespace memonline {

std::string shortened(std::string_view text, std::size_t most) {
  constexpr std::string_view kEllipsis = "\xE2\x80\xA6";
  if (text.size() <= most) return std::string(text);
  std::size_t end = most - kEllipsis.size();
  // A character of UTF-8 continues in bytes of the form 10xxxxxx.
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return std::string(text.substr(0, end)).append(kEllipsis);
}

}  // namespace memonline
