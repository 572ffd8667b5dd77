// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/boot/back_end.hpp"

#include <algorithm>
#include <array>

namespace memonline::boot {

Words without(const Words& words, const Words& taken) {
  Words rest;
  for (const std::string& word : words)
    if (!holds(taken, word)) rest.push_back(word);
  return rest;
}

void take_lines(View& view, const std::vector<std::string>& lines) {
  bool first = true;
  for (const std::string& line : lines) {
    const Words words = words_of(line);
    for (const std::string& word : words)
      if (!holds(view.somewhere, word)) view.somewhere.push_back(word);
    view.everywhere = first ? words : without(view.everywhere, without(view.everywhere, words));
    view.longest = std::max(view.longest, line.size());
    first = false;
  }
}

namespace {

// Files of our own before shared lines. A distribution's own tool before kernel-install, which is
// present wherever systemd is.
constexpr std::array kFamilies{find_bootc,      find_sdbootutil,    find_grub_drop_in,
                               find_rpm_ostree, find_grubby,        find_perl_bootloader,
                               find_zipl,       find_kernel_install};

}  // namespace

BackEndPtr find_back_end(const Root& root, const Runner& run) {
  for (const auto find : kFamilies)
    if (BackEndPtr found = find(root, run, Detect::Yes)) return found;
  return nullptr;
}

BackEndPtr back_end_named(std::string_view name, const Root& root, const Runner& run) {
  for (const auto find : kFamilies)
    if (BackEndPtr found = find(root, run, Detect::No); found->name() == name) return found;
  return nullptr;
}

}  // namespace memonline::boot
