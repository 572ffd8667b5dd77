// SPDX-License-Identifier: LGPL-2.1-or-later
// The kernel memory that a hot-add needs, and the request parser.
#include "compiler/plan/cost.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "compiler/forecast/forecast.hpp"
#include "compiler/plan/size_text.hpp"

namespace memonline::forecast {

using model::Bytes;
using model::Host;

Result<AddRequest, std::string> parse_add(std::string_view text) {
  constexpr const char* kForm =
      "expected SIZE[@nodeN][,dimm=SIZE], for example 64GiB@node1,dimm=8GiB";
  const std::size_t comma = text.find(',');
  const auto sized = plan::size_at_node(text.substr(0, comma));
  if (!sized) return fail(fmt::format("{}; {}", sized.error(), kForm));
  AddRequest request{sized->bytes, sized->node, std::nullopt};
  if (comma == std::string_view::npos) return request;
  std::string_view rest = text.substr(comma + 1);
  constexpr std::string_view kDimm = "dimm=";
  if (!rest.starts_with(kDimm)) return fail(fmt::format("invalid option `{}`; {}", rest, kForm));
  const auto dimm = plan::size_in(rest.substr(kDimm.size()));
  if (!dimm) return fail(fmt::format("{}; {}", dimm.error(), kForm));
  if (*dimm > request.bytes)
    return fail(fmt::format("a device of {} is larger than the requested {}", model::human(*dimm),
                            model::human(request.bytes)));
  request.dimm = *dimm;
  return request;
}

bool next_hold_own_map(const Host& host, plan::Source source, std::uint64_t blocks) {
  if (source == plan::Source::Standby && host.standby_own_map && !host.standby.empty())
    return model::BlockSet(*host.standby_own_map).contains(host.standby.front().first);
  return plan::holds_own_map(host, source, blocks);
}

Bytes cost_of_adding(const Host& host, plan::Source source, std::uint64_t blocks) {
  return plan::cost_of_blocks(host, blocks, next_hold_own_map(host, source, blocks));
}

std::string_view remedy_name(Remedy::Kind kind) {
  switch (kind) {
    case Remedy::Kind::MemmapOnMemory: return "memmap_on_memory";
    case Remedy::Kind::Slices: return "slices";
    case Remedy::Kind::BootMemory: break;
  }
  return "boot_memory";
}

}  // namespace memonline::forecast
