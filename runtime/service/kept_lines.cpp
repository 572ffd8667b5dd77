// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/service/kept_lines.hpp"

#include <string_view>

#include <fmt/format.h>
#include <unistd.h>

#include "runtime/host/text.hpp"

namespace memonline::service {

std::string boot_id() {
  const auto text = runtime::read_file("/proc/sys/kernel/random/boot_id");
  return text ? std::string(runtime::trimmed(*text)) : std::string("unknown");
}

std::vector<std::vector<std::string>> read_kept(const std::string& file, const std::string& boot) {
  std::vector<std::vector<std::string>> lines;
  const auto text = runtime::read_file(file);
  if (!text) return lines;
  std::string_view rest = *text;
  bool of_this_boot = false;
  while (!rest.empty()) {
    const auto words = runtime::words_of(runtime::take_until(rest, '\n'));
    if (words.size() == 2 && words[0] == "boot")
      of_this_boot = words[1] == boot;
    else if (of_this_boot)
      lines.emplace_back(words.begin(), words.end());
  }
  return lines;
}

Result<std::string, runtime::FileError> write_kept(const std::string& file, const std::string& boot,
                                                   const std::string& lines) {
  if (!lines.empty()) return runtime::write_file(file, fmt::format("boot {}\n{}", boot, lines));
  ::unlink(file.c_str());
  return std::string();
}

}  // namespace memonline::service
