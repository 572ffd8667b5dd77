// SPDX-License-Identifier: LGPL-2.1-or-later
// Kernel command lines as words, split as the kernel does (lib/cmdline.c next_arg): white space
// separates, double quotes keep it, and a lone `--` leaves the rest to init.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace memonline::boot {

using Words = std::vector<std::string>;

/// The kernel's words of `line`, in order, quotes kept; what follows `--` is init's.
Words words_of(std::string_view line);
/// The part before `=`, with `-` read as `_`, as the kernel compares names.
std::string key_of(std::string_view word);
/// A word that may be written: only characters that are not special to shells, boot loaders or sed.
bool is_plain(std::string_view word);
/// Whether a parameter decides about memory.
bool is_memory_key(std::string_view key);
bool holds(const Words& words, std::string_view word);
std::string joined(const Words& words);

/// `text` (lines of a command line, `#` starts a comment line) without the words of `gone`, and
/// with `more` after the last kernel word. Removing what was added gives the old bytes.
std::string edited(std::string_view text, const Words& gone, const Words& more);

}  // namespace memonline::boot
