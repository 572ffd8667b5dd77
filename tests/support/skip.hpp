// SPDX-License-Identifier: LGPL-2.1-or-later
// What a test case says where a part of it cannot run: the line that `./dev test` repeats in its
// summary (skip.py says the same from Python).
#pragma once

#include <cstdio>
#include <string>

namespace memonline::test {

inline void skip_part(const std::string& name, const std::string& reason) {
  std::printf("skipped: %s: %s\n", name.c_str(), reason.c_str());
}

}  // namespace memonline::test
