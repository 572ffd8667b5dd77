// SPDX-License-Identifier: LGPL-2.1-or-later
// Where this host's memory can come from while it runs, and which of it carries its own memory map.
// One place for both: the forecast, the boot parameters and the check of the outcome ask here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/model/host.hpp"

namespace memonline::plan {

enum class Source : std::uint8_t {
  Dimm,       ///< an ACPI memory device
  Dax,        ///< dax/kmem: CXL, persistent memory
  VirtioMem,  ///< block by block
  HyperV,     ///< its balloon driver, block by block
  Xen,        ///< its balloon driver, block by block
  Dlpar,      ///< ppc64 pseries, one logical memory block at a time
  Standby,    ///< s390x
  Driver,     ///< another driver's own memory: GPUs
};
std::string_view source_name(Source source);  ///< dimm dax virtio-mem hyper-v xen dlpar standby
std::string_view source_text(Source source);  ///< for people: "Hyper-V's balloon driver"

/// Whether the facts of the host leave it possible that memory comes from there.
bool can_come_from(const model::Host& host, Source source);
/// Whether memory can ever be on one of these nodes (both ends included), or on one without CPUs.
bool may_have_node(const model::Host& host, model::NodeId first, model::NodeId last);
bool may_have_cpuless_node(const model::Host& host);
/// The reason for which the kernel ignores DIMMs that are added to this host:
/// `CONFIG_ACPI_HOTPLUG_MEMORY` (it is not set) or `acpi_no_memhotplug` (on the kernel command
/// line); empty: the kernel does not ignore them, that is unknown, or the host is x86, where
/// distributions set the option and its absence is a choice.
std::string_view dimms_ignored_by(const model::Host& host);
/// Whether it may have standby memory, and whether all of its hot-added memory is standby memory.
bool may_have_standby(const model::Host& host);
bool has_only_standby(const model::Host& host);
/// Whether a driver of this name ("System RAM (NAME)") may add memory here.
bool driver_may_add(const model::Host& host, std::string_view driver);
/// The source of memory whose kind is not given, as with `--add`.
Source usual_source(const model::Host& host);
/// The source of its hot-added memory; without any, the source that it would have.
std::vector<Source> sources_of(const model::Host& host);
Source source_of(const model::Host& host, const model::Device& device);
/// Whether it adds a block at a time, and goes on once that is online.
bool is_incremental(Source source);

/// Whether the blocks of a device of so many contain their own memory map, so that adding them
/// needs no kernel memory.
bool holds_own_map(const model::Host& host, Source source, std::uint64_t blocks);
/// Why memory_hotplug.memmap_on_memory has no effect on any memory that this host can get; empty:
/// it has.
std::string no_own_map(const model::Host& host);

}  // namespace memonline::plan
