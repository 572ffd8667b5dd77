// SPDX-License-Identifier: LGPL-2.1-or-later
// One diagnostic code, or blocks (one, a range, those of a node or of a device): what they are,
// which rule governs them, and what the plan does with them and why.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/base/result.hpp"
#include "compiler/model/host.hpp"
#include "compiler/plan/plan.hpp"

namespace memonline::render {

enum class Form : std::uint8_t {
  Text,
  Json,  ///< schema memonline.explanation/1
};

struct Unexplained {
  enum class Kind : std::uint8_t { Unclear, NoSuchCode, NoSuchBlock };
  Kind kind = Kind::Unclear;
  std::string message, help;
};

/// Whether it resembles a code, `ML0503`: no host is needed then.
bool names_code(std::string_view what);
Result<std::string, Unexplained> explain_code(std::string_view what, Form form);
/// Why that cannot be explained on any host: nothing is called like that.
std::optional<Unexplained> unclear(std::string_view what);
/// The blocks that it names on this host; none: it names none, or a code.
std::vector<model::BlockRange> blocks_named(std::string_view what, const model::Host& host);
/// A code, `memory42`, `memory32-39`, `node1`, a device (`dimm1`, `dax0.0`), or the block at an
/// address (`0x150000000`). `without_plan` is the text without a
/// plan: there is no policy, or it has an error.
Result<std::string, Unexplained> explain(std::string_view what, const model::Host& host,
                                         const plan::Plan* plan, Form form,
                                         std::string_view without_plan = "none");

}  // namespace memonline::render
