// SPDX-License-Identifier: LGPL-2.1-or-later
// Kernel command lines as words, cut the way the kernel cuts them (lib/cmdline.c next_arg): white
// space separates, double quotes keep it, and a lone `--` hands the rest to init.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace memonline::boot {

using Words = std::vector<std::string>;

/// The kernel's words of `line`, in order, quotes kept; what follows `--` is init's.
Words words_of(std::string_view line);
/// What stands before `=`, with `-` read as `_`, as the kernel compares names.
std::string key_of(std::string_view word);
/// A word that may be written: of the letters that neither a shell, a boot loader nor sed minds.
bool is_plain(std::string_view word);
/// A parameter that decides about memory, whoever set it.
bool is_memory_key(std::string_view key);
bool holds(const Words& words, std::string_view word);
std::string joined(const Words& words);

/// `text` (lines of a command line, `#` starts a comment line) with each word of `gone` taken out,
/// where it stands exactly so, and `more` put behind the last kernel word. Taking out what was put
/// in gives the old bytes.
std::string edited(std::string_view text, const Words& gone, const Words& more);

}  // namespace memonline::boot
