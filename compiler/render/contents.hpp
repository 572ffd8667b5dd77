// SPDX-License-Identifier: LGPL-2.1-or-later
// What memory blocks hold, as `explain` shows it: sizes and shares by use, and what that means for
// offlining them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/model/contents.hpp"
#include "compiler/model/host.hpp"
#include "compiler/text/json_writer.hpp"

namespace memonline::render {

/// The sum over the blocks of a run whose contents were read.
struct Held {
  model::BlockContents contents;
  std::uint64_t blocks = 0;  ///< how many were read
};
/// Empty: none was.
std::optional<Held> held_by(const model::Host& host, const model::BlockRange& blocks);

/// "free 81 MiB (63%), anonymous 40 MiB (31%), slab 300 KiB (0.2%)"; the largest first.
std::string held_text(const model::Host& host, const Held& held);

/// "qemu-system-x86 (1234): 96 MiB, 512 MiB pinned in total": the processes with the most
/// pages in these blocks.
std::vector<std::string> processes_text(const model::Host& host, const model::BlockRange& blocks);
/// The member "processes" of an explanation, if any were examined: all of them.
void write_processes(text::JsonWriter& json, const model::Host& host,
                     const model::BlockRange& blocks);

/// The member "contents" of an explanation.
void write_held(text::JsonWriter& json, const model::Host& host, const model::BlockRun& run,
                const Held& held);

}  // namespace memonline::render
