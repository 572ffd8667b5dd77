// SPDX-License-Identifier: LGPL-2.1-or-later
// Kernel versions as policies compare them: number by number, as many as the policy wrote. So
// `kernel is 6.1` holds on 6.1.0-50-cloud-amd64, `kernel < 6.12` too, and `kernel > 6.1` does not.
#pragma once

#include <compare>
#include <string_view>

namespace memonline::sema {

/// Digits, with `.` or `-` between numbers: "6.12", "5.14.0-427".
bool is_version(std::string_view text);

/// `release` (uname -r) against a version as written in a policy. The numbers of a release end at
/// the first part that is not a number: 6.12-rc3 counts as 6.12.
std::strong_ordering compare_release(std::string_view release, std::string_view version);

}  // namespace memonline::sema
