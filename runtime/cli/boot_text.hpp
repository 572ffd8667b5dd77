// SPDX-License-Identifier: LGPL-2.1-or-later
// From the boot part of a plan to the boot loader, for `boot` and for `apply`: what is desired and
// what is done, as text.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "compiler/plan/plan.hpp"
#include "runtime/boot/change.hpp"

namespace memonline::cli {

/// How long a run waits for another one that changes the boot parameters.
inline constexpr std::chrono::minutes kBootLockTimeout{1};

boot::Wish wish_of(const plan::Boot& boot);
std::string or_none(const boot::Words& words);
std::string_view name_of(const boot::Survey& survey);
/// Files and tools, one per line, indented by two.
std::string steps_text(const boot::Survey& survey);

struct BootWritten {
  bool done = false;     ///< the loader has the parameters; else the reason is in the sink
  bool changed = false;  ///< it did not have them before
  std::string text;      ///< what was done, for people
};
/// Writes what the plan needs through the boot loader of `root`. `dry_run`: only describes it.
BootWritten write_boot(const std::string& root, const plan::Boot& boot, std::string_view arch,
                       bool dry_run, diag::Sink& sink);

}  // namespace memonline::cli
