// SPDX-License-Identifier: LGPL-2.1-or-later
#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "compiler/base/similar.hpp"
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

/// "39" of "39" and of "memory39".
std::string_view last_of(std::string_view text) {
  take(text, "memory");
  return text;
}

/// A name and a number, as devices are called; a size begins with a digit.
bool could_be_device(std::string_view text) {
  const bool letter =
      !text.empty() && ((text[0] >= 'a' && text[0] <= 'z') || (text[0] >= 'A' && text[0] <= 'Z'));
  return letter && text.find('@') == std::string_view::npos;
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
    // As a person writes it, "32-39", and as `status` and `plan` print it, "32..39".
    const std::size_t dash = std::min(rest.find('-'), rest.find(".."));
    const std::size_t after =
        dash == std::string_view::npos ? dash : dash + (rest[dash] == '-' ? 1 : 2);
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
    const auto first = number_in(rest.substr(0, dash), kMost);
    const auto last =
        dash == std::string_view::npos ? first : number_in(last_of(rest.substr(after)), kMost);
    if (!first || !last)
      return fail(fmt::format("`{}` names no blocks as `memory32-39` does; {}", text, kForms));
    if (*last < *first)
      return fail(fmt::format("`{}` ends before it begins; write the lower block first", text));
    return UnplugBlocks{model::BlockId(*first), model::BlockId(*last)};
  }
  if (could_be_device(text)) {
    const std::size_t digit = text.find_first_of("0123456789");
    const std::string_view digits =
        digit == std::string_view::npos ? std::string_view{} : text.substr(digit);
    const bool dimm_meant = edit_distance(text.substr(0, digit), "dimm") <= 2 &&
                            number_in(digits, std::numeric_limits<std::uint32_t>::max());
    return fail(fmt::format("cannot unplug `{}`{}; {}", text,
                            dimm_meant ? fmt::format(", did you mean `dimm{}`?", digits) : "",
                            kForms));
  }
  auto sized = size_at_node(text);
  if (!sized) return fail(fmt::format("{}; {}", sized.error(), kForms));
  return UnplugSize{sized->bytes, sized->node};
}

}  // namespace memonline::plan
