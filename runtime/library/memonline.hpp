// SPDX-License-Identifier: LGPL-2.1-or-later
// memonline for other programs: text in, text out. A policy is the language of mempolicy(5); a host
// is what `memonline capture` or `lsmem --json` wrote; a plan is JSON of schema memonline.plan/1,
// byte for byte as `memonline plan --format json` prints it.
//
// Nothing here reads or changes the machine, and every function may be called from any thread.
// Before 1.0 the soname changes with each release that breaks these declarations.
#pragma once

#include <string>
#include <string_view>

#define MEMONLINE_API [[gnu::visibility("default")]]

namespace memonline::lib {

struct Answer {
  bool done = false;        ///< that `document` is there, or the policy is right
  std::string document;     ///< the plan, or the formatted policy
  std::string diagnostics;  ///< JSON, schema memonline.diagnostics/1; also what is only a warning
};

/// "0.1.0".
MEMONLINE_API std::string_view version();
/// Whether the policy is right on any host. `name` is what diagnostics call the text.
MEMONLINE_API Answer check(std::string_view name, std::string_view policy);
/// What the policy would do on the host.
MEMONLINE_API Answer plan(std::string_view name, std::string_view policy, std::string_view host);
/// The policy in its canonical form, comments kept.
MEMONLINE_API Answer format(std::string_view name, std::string_view policy);

}  // namespace memonline::lib
