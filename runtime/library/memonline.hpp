// SPDX-License-Identifier: LGPL-2.1-or-later
/// \mainpage memonline for other programs
/// Text in, text out. A policy is a text in the language of mempolicy(5); a host is the output of
/// `memonline capture` or `lsmem --json`; a plan is JSON of schema memonline.plan/1, byte for byte
/// as `memonline plan --format json` prints it.
///
/// Nothing here reads or changes the machine, and every function may be called from any thread.
/// Before 1.0 the soname changes with each release that breaks these declarations.
#pragma once

#include <string>
#include <string_view>

/// Marks the functions that the library exports.
#define MEMONLINE_API [[gnu::visibility("default")]]

/// The functions and types of libmemonline.
namespace memonline::lib {

/// The result of a function: a document, if it could be made, and the diagnostics of the policy and
/// the host.
struct Answer {
  bool done = false;        ///< `document` is present; for check(): the policy is valid
  std::string document;     ///< the plan, or the formatted policy
  std::string diagnostics;  ///< JSON, schema memonline.diagnostics/1; errors and warnings
};

/// The version of the library, such as "0.1.0".
MEMONLINE_API std::string_view version();
/// Checks the policy without a host. Diagnostics refer to the text as `name`.
MEMONLINE_API Answer check(std::string_view name, std::string_view policy);
/// Makes the plan of the policy for the host.
MEMONLINE_API Answer plan(std::string_view name, std::string_view policy, std::string_view host);
/// Formats the policy in canonical form; comments are preserved.
MEMONLINE_API Answer format(std::string_view name, std::string_view policy);

}  // namespace memonline::lib
