// SPDX-License-Identifier: LGPL-2.1-or-later
// Texts about dax devices: what is behind blocks, which tier they are in, and what turns one that
// is not system RAM into it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "compiler/model/host.hpp"

namespace memonline::model {

/// The dax device of this name, or nullptr.
const DaxDevice* find_dax(const Host& host, std::string_view name);
/// The tier that lists the node; empty: none.
std::string_view tier_of(const Host& host, NodeId node);
/// "512 MiB, region0, mem0, memory_tier22": what is behind the device, without its name.
std::string dax_summary(const Host& host, const DaxDevice& device);
/// A sentence with the command that adds its blocks, or nothing: its blocks are there, or its
/// driver does not show.
std::optional<std::string> not_system_ram(const DaxDevice& device);

}  // namespace memonline::model
