// SPDX-License-Identifier: LGPL-2.1-or-later
// Reading the small texts of /proc and /sys: numbers, lines, words. Nothing here depends on the
// locale, and nothing trusts its input.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace memonline::runtime {

/// Without white space at either end.
std::string_view trimmed(std::string_view text);
/// The text up to the next `end`, which is taken off `rest` with it.
std::string_view take_until(std::string_view& rest, char end);
/// The next word between white space, which is removed from `rest` with the white space before it;
/// empty at the end.
std::string_view take_word(std::string_view& rest);
/// Words between white space.
std::vector<std::string_view> words_of(std::string_view text);
/// All digits, and the number fits; empty otherwise.
std::optional<std::uint64_t> decimal(std::string_view text);
/// As decimal, of hexadecimal digits with or without 0x.
std::optional<std::uint64_t> hexadecimal(std::string_view text);
/// The number N of a name "prefixN".
std::optional<std::uint64_t> number_after(std::string_view prefix, std::string_view name);
/// "0-2,5", the kernel's list notation; garbage ends it. At most 65,536 numbers.
std::vector<std::uint32_t> list_of(std::string_view text);
/// The text with all but printable ASCII replaced by '?', at most 256 bytes: fit to be shown,
/// stored and compared.
std::string ascii_only(std::string_view text);

}  // namespace memonline::runtime
