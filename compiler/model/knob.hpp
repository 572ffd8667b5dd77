// SPDX-License-Identifier: LGPL-2.1-or-later
// The kernel settings that decide how memory comes online: one table of their names, files, first
// kernels and values. Files of sysfs, not parameters of the command line.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/model/host.hpp"

namespace memonline::model {

struct KnobInfo {
  Knob knob;
  std::string_view name;       ///< the file's name
  std::string_view directory;  ///< below the root of the file system, without a slash at its end
  std::string_view since;      ///< the first kernel that has it
  /// The values that the kernel accepts, separated by spaces; empty: a decimal number of 32 bits.
  std::string_view values;
};

// drivers/base/memory.c (auto_online_blocks), mm/memory_hotplug.c (module_param_cb).
inline constexpr std::string_view kMemoryDirectory = "sys/devices/system/memory";
inline constexpr std::string_view kParametersDirectory = "sys/module/memory_hotplug/parameters";
inline constexpr std::array<KnobInfo, 5> kKnobs{{
    {Knob::AutoMovableNumaAware, "auto_movable_numa_aware", kParametersDirectory, "5.15", "Y N"},
    {Knob::AutoMovableRatio, "auto_movable_ratio", kParametersDirectory, "5.15", ""},
    {Knob::AutoOnlineBlocks, "auto_online_blocks", kMemoryDirectory, "4.6",
     "offline online online_kernel online_movable"},
    {Knob::MemmapOnMemory, "memmap_on_memory", kParametersDirectory, "5.13", "N Y force"},
    {Knob::OnlinePolicy, "online_policy", kParametersDirectory, "5.15",
     "contig-zones auto-movable"},
}};

constexpr const KnobInfo& info_of(Knob knob) { return kKnobs[static_cast<std::size_t>(knob)]; }
constexpr std::string_view knob_name(Knob knob) { return info_of(knob).name; }
constexpr std::optional<Knob> knob_named(std::string_view name) {
  for (const KnobInfo& info : kKnobs)
    if (info.name == name) return info.knob;
  return std::nullopt;
}
/// "/sys/devices/system/memory/auto_online_blocks"
std::string knob_path(Knob knob);
/// The values that the kernel accepts; empty: a decimal number of 32 bits.
std::vector<std::string_view> knob_values(Knob knob);
/// The content of the kernel's file; empty: this kernel has none, or it could not be read.
std::optional<std::string> knob_value(const Knobs& knobs, Knob knob);
/// Whether a plan may set it: memmap_on_memory is read once, at boot.
constexpr bool can_be_set(Knob knob) { return knob != Knob::MemmapOnMemory; }

}  // namespace memonline::model
