// SPDX-License-Identifier: LGPL-2.1-or-later
// Generated files that apply a policy to hot-added memory without the service, as far as their
// formats can express it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "compiler/diag/diagnostic.hpp"
#include "compiler/model/host.hpp"
#include "compiler/plan/plan.hpp"
#include "compiler/sema/policy.hpp"

namespace memonline::render {

enum class TargetFile : std::uint8_t {
  Udev,      ///< rules.d: a block at a time, by its number alone
  Tmpfiles,  ///< tmpfiles.d: the kernel settings, for memory added after it ran
  Cmdline,   ///< kernel parameters: kernel settings and boot memory
  Tuned,     ///< a profile of tuned: both
};

/// The whole file. Empty: the target cannot express the policy, and `sink` has ML0512 with the
/// rule that is in the way. `plan` is the plan of `policy` for `host`.
std::optional<std::string> generate(TargetFile target, const plan::Plan& plan,
                                    const sema::Policy& policy, const source::SourceSet& files,
                                    const model::Host& host, diag::Sink& sink);

}  // namespace memonline::render
