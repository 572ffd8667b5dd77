// SPDX-License-Identifier: LGPL-2.1-or-later
#include <limits>

#include <fmt/format.h>

#include "compiler/plan/size_text.hpp"
#include "compiler/plan/unplug.hpp"

namespace memonline::plan {

namespace {

constexpr const char* kForms = "wanted is SIZE[@nodeN], dimmN or memoryA-B";

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

}  // namespace

Result<UnplugRequest, std::string> parse_unplug(std::string_view text) {
  std::string_view rest = text;
  if (take(rest, "dimm")) {
    const auto number = number_in(rest, std::numeric_limits<std::uint32_t>::max());
    if (!number) return fail(fmt::format("`{}` names no device as `dimm1` does; {}", text, kForms));
    return UnplugDimm{static_cast<std::uint32_t>(*number)};
  }
  if (take(rest, "memory")) {
    const std::size_t dash = rest.find('-');
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
    const auto first = number_in(rest.substr(0, dash), kMost);
    const auto last =
        dash == std::string_view::npos ? first : number_in(rest.substr(dash + 1), kMost);
    if (!first || !last)
      return fail(fmt::format("`{}` names no blocks as `memory32-39` does; {}", text, kForms));
    if (*last < *first)
      return fail(fmt::format("`{}` ends before it begins; write the lower block first", text));
    return UnplugBlocks{model::BlockId(*first), model::BlockId(*last)};
  }
  auto sized = size_at_node(text);
  if (!sized) return fail(fmt::format("{}; {}", sized.error(), kForms));
  return UnplugSize{sized->bytes, sized->node};
}

}  // namespace memonline::plan
