// SPDX-License-Identifier: LGPL-2.1-or-later
// Where command lines are below a root, and how to read them: shell assignments for GRUB, boot
// loader specification entries, /etc/zipl.conf.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/boot/files.hpp"
#include "runtime/boot/words.hpp"

namespace memonline::boot {

inline constexpr const char* kGrubDefaults = "/etc/default/grub";
inline constexpr const char* kGrubDropIn = "/etc/default/grub.d/60-memonline.cfg";
inline constexpr const char* kSdbootDropIn = "/etc/kernel/cmdline.d/60-memonline";
inline constexpr const char* kKernelCommandLine = "/etc/kernel/cmdline";
inline constexpr const char* kZiplConfiguration = "/etc/zipl.conf";

/// The words that our GRUB drop-in appends; empty if the text is not ours.
Words drop_in_words(std::string_view text);
std::string drop_in_text(const Words& words);
/// Every word that a shell text assigns to GRUB_CMDLINE_LINUX or GRUB_CMDLINE_LINUX_DEFAULT.
Words grub_words(std::string_view text);
/// The command line of each `linux` entry of a grub.cfg, as one text each.
std::vector<std::string> grub_entries(std::string_view text);
/// What follows `key` in the *.conf below loader/entries of /boot, /efi and /boot/efi.
std::vector<std::string> entry_lines(const Root& root, std::string_view key);

/// A part of a text: the value of `parameters=` without its quotes.
struct Value {
  std::size_t begin = 0;
  std::size_t size = 0;
};
std::vector<Value> zipl_values(std::string_view text);

}  // namespace memonline::boot
