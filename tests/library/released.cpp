// SPDX-License-Identifier: LGPL-2.1-or-later
// The interface of the last release (libmemonline 0.1.0), which abi_test.sh compares with the
// library. A release adds its new functions here; anything else changes together with SOVERSION
// only (CONTRIBUTING.md, Releasing).
#include <string>
#include <string_view>

namespace memonline::lib {

struct Answer {
  bool done;
  std::string document;
  std::string diagnostics;
};

std::string_view version() { return {}; }
Answer check(std::string_view /*name*/, std::string_view /*policy*/) { return {}; }
Answer plan(std::string_view /*name*/, std::string_view /*policy*/, std::string_view /*host*/) {
  return {};
}
Answer format(std::string_view /*name*/, std::string_view /*policy*/) { return {}; }

}  // namespace memonline::lib
