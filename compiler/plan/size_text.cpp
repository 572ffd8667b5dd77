// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/plan/size_text.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "compiler/sema/numbers.hpp"

namespace memonline::plan {

std::optional<std::uint64_t> number_in(std::string_view text, std::uint64_t most) {
  const bool digits = !text.empty() && std::all_of(text.begin(), text.end(),
                                                   [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) return std::nullopt;
  const sema::Number number = sema::whole_number(text);
  if (number.fault != sema::NumberFault::None || number.value > most) return std::nullopt;
  return number.value;
}

Result<model::Bytes, std::string> size_in(std::string_view text) {
  const std::size_t end = std::min(text.find_first_not_of("0123456789."), text.size());
  const auto unit = sema::unit_size(text.substr(end));
  if (end == 0 || !unit) return fail(fmt::format("invalid size `{}`", text));
  const sema::Number number = sema::scaled_number(text.substr(0, end), *unit, true);
  switch (number.fault) {
    case sema::NumberFault::None: break;
    case sema::NumberFault::NotANumber: return fail(fmt::format("invalid size `{}`", text));
    case sema::NumberFault::TooLarge:
      return fail(fmt::format("invalid size `{}`: larger than 16 EiB", text));
    case sema::NumberFault::TooFine:
      return fail(fmt::format("invalid size `{}`: not a whole number of bytes", text));
  }
  if (number.value == 0) return fail(fmt::format("invalid size `{}`: must not be zero", text));
  return model::Bytes(number.value);
}

Result<SizeAtNode, std::string> size_at_node(std::string_view text) {
  const std::size_t at = text.find('@');
  auto bytes = size_in(text.substr(0, at));
  if (!bytes) return fail(bytes.error());
  if (at == std::string_view::npos) return SizeAtNode{*bytes, std::nullopt};
  const std::string_view place = text.substr(at + 1);
  const auto node = place.starts_with("node")
                        ? number_in(place.substr(4), std::numeric_limits<std::uint32_t>::max())
                        : std::nullopt;
  if (!node) return fail(fmt::format("invalid node `{}`", place));
  return SizeAtNode{*bytes, model::NodeId(static_cast<std::uint32_t>(*node))};
}

}  // namespace memonline::plan
