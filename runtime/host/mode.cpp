// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/host/mode.hpp"

#include "runtime/base/file.hpp"
#include "runtime/host/proc.hpp"

namespace memonline::runtime {

bool switched_off(const std::string& root) {
  const auto text = read_file((root == "/" ? std::string() : root) + "/proc/cmdline");
  if (!text) return false;
  bool off = false;
  for (const std::string& word : parse_command_line(*text))
    if (word.rfind("memonline.mode=", 0) == 0) off = word == "memonline.mode=off";
  return off;
}

}  // namespace memonline::runtime
