// SPDX-License-Identifier: LGPL-2.1-or-later
// Drivers and platforms that rely on auto_online_blocks, or online memory regardless of it: the
// setting affects the whole machine, and a plan that changes it reports which of them it affects.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/diag/diagnostic.hpp"
#include "compiler/model/host.hpp"
#include "compiler/plan/plan.hpp"
#include "compiler/sema/policy.hpp"

namespace memonline::plan {

struct SettingUser {
  enum class Kind : std::uint8_t {
    Nvidia,     ///< its GPUs fail unless it is online_movable while their memory is added
    Dlpar,      ///< onlines the memory that it adds, as `online` if the setting is `offline`
    HyperV,     ///< waits up to 5 s for each block
    Xen,        ///< expects memory to come online by itself
    VirtioMem,  ///< stops adding at 1 GiB offline
  };
  Kind kind = Kind::Nvidia;
  std::string where;  ///< where the host shows it
  std::string needs;  ///< a sentence for people
};
std::vector<SettingUser> setting_users(const model::Host& host);
bool has_user(const model::Host& host, SettingUser::Kind kind);

/// The first one for whom the kernel must online memory first; nullopt: the setting may be offline.
std::optional<SettingUser> needs_kernel_first(const model::Host& host);

/// The target of memory that memonline leaves to the kernel: by the setting before memonline
/// changed it; never offline where DLPAR onlines by itself.
sema::Target without_memonline(const model::Host& host);
sema::Target target_of_word(const std::string& word);  ///< "online_movable" -> Movable

/// Warns where the setting is turned off, and where NVIDIA's driver needs another value.
void report_setting(const HotplugPart& hotplug, const model::Host& host, diag::Sink& sink);

}  // namespace memonline::plan
