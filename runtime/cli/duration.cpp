// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/cli/duration.hpp"

#include <array>
#include <utility>

#include "runtime/host/text.hpp"

namespace memonline::cli {

std::optional<std::chrono::milliseconds> duration_of(std::string_view text) {
  using Milliseconds = std::chrono::milliseconds;
  constexpr std::array<std::pair<std::string_view, std::int64_t>, 6> kUnits{
      {{"", 1000}, {"s", 1000}, {"min", 60'000}, {"m", 60'000}, {"h", 3'600'000}, {"ms", 1}}};
  const std::size_t digits = text.find_first_not_of("0123456789");
  const auto number = runtime::decimal(text.substr(0, digits));
  const std::string_view unit = digits == std::string_view::npos ? "" : text.substr(digits);
  constexpr std::int64_t kDay = 86'400'000;
  if (!number || *number > static_cast<std::uint64_t>(kDay)) return std::nullopt;
  for (const auto& [name, factor] : kUnits)
    if (name == unit) {
      const std::int64_t time = static_cast<std::int64_t>(*number) * factor;
      return time <= kDay ? std::optional(Milliseconds(time)) : std::nullopt;
    }
  return std::nullopt;
}

}  // namespace memonline::cli
