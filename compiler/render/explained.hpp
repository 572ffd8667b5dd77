// SPDX-License-Identifier: LGPL-2.1-or-later
// The argument of `explain`, and the blocks of a host that it names.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "compiler/base/result.hpp"
#include "compiler/model/host.hpp"
#include "compiler/plan/plan.hpp"
#include "compiler/render/explanation.hpp"

namespace memonline::render {

struct AskedAddress {
  std::uint64_t address = 0;
};
struct AskedNode {
  model::NodeId id;
};
struct AskedDevice {
  std::string_view name;
};
/// One block, `memory42` or the block at an address; or many: `memory32-39`, `node1`, `dimm0`.
using Asked = std::variant<model::BlockId, AskedAddress, model::BlockRange, AskedNode, AskedDevice>;

/// Empty if nothing on any host can have this name.
std::optional<Asked> parse_asked(std::string_view what);

/// Neighboring blocks of one run of the host.
struct Piece {
  model::BlockId first;
  std::uint64_t count = 1;
  const model::BlockRun* run = nullptr;
  [[nodiscard]] model::BlockId last() const { return first + (count - 1); }
};
/// In ascending order. A node without memory has none; missing blocks are an error.
Result<std::vector<Piece>, Unexplained> pieces_of(const Asked& asked, const model::Host& host);

/// Memory that has no blocks until a step of the plan configures it: which step does.
std::optional<Unexplained> configured_by_plan(const Asked& asked, const model::Host& host,
                                              const plan::Plan& plan);

}  // namespace memonline::render
