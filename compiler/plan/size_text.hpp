// SPDX-License-Identifier: LGPL-2.1-or-later
// Sizes and places as options write them: "16GiB", "4TiB@node1", in the units of the language.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "compiler/base/result.hpp"
#include "compiler/model/units.hpp"

namespace memonline::plan {

struct SizeAtNode {
  model::Bytes bytes;
  std::optional<model::NodeId> node;
};

/// Decimal digits and nothing else, up to `most`.
std::optional<std::uint64_t> number_in(std::string_view text, std::uint64_t most);
/// "64GiB", "1.5T"; otherwise what is wrong with it.
Result<model::Bytes, std::string> size_in(std::string_view text);
/// A size, and after an `@` a node.
Result<SizeAtNode, std::string> size_at_node(std::string_view text);

}  // namespace memonline::plan
