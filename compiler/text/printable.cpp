// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/text/printable.hpp"

#include <algorithm>
#include <cstddef>

#include "compiler/text/display_width.hpp"
#include "compiler/text/utf8.hpp"

namespace memonline {

std::string printable(std::string_view text, std::string_view keep) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = text::utf8_length(text, at);
    const std::string_view bytes = text.substr(at, std::max<std::size_t>(1, length));
    const auto first = static_cast<unsigned char>(bytes.front());
    if (keep.find(bytes.front()) != std::string_view::npos)
      out += bytes;
    else if (length == 0 || first < 0x20 || first == 0x7F || text::is_unprintable(bytes))
      for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        out += "\\x";
        out += kDigits[byte >> 4U];
        out += kDigits[byte & 0xFU];
      }
    else
      out += bytes;
    at += bytes.size();
  }
  return out;
}

std::string shortened(std::string_view text, std::size_t most) {
  constexpr std::string_view kEllipsis = "\xE2\x80\xA6";
  if (text.size() <= most) return std::string(text);
  std::size_t end = most - kEllipsis.size();
  // A character of UTF-8 continues in bytes of the form 10xxxxxx.
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return std::string(text.substr(0, end)).append(kEllipsis);
}

}  // namespace memonline
