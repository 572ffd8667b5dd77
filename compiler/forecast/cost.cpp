// SPDX-License-Identifier: LGPL-2.1-or-later
// The kernel memory that a hot-add needs, the kernel memory that is free, and the request parser.
#include <algorithm>

#include <fmt/format.h>

#include "compiler/forecast/forecast.hpp"
#include "compiler/plan/size_text.hpp"

namespace memonline::forecast {

using model::Bytes;
using model::Host;

namespace {

// One entry of a page table of the lowest level but one maps this much; entries have 8 bytes.
Bytes huge_page(const Host& host) { return Bytes(host.page_size / 8 * host.page_size); }

std::uint64_t map_of_block(const Host& host) { return host.pages_per_block() * kStructPage; }

}  // namespace

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

std::optional<Bytes> free_kernel_memory(const Host& host) {
  if (!host.memory_available) return std::nullopt;
  if (!host.zone_spans_known) return host.memory_available;
  std::uint64_t managed = 0;
  for (const model::Node& node : host.nodes)
    for (std::size_t zone = 0; zone < node.zones.size(); ++zone)
      if (model::is_kernel_zone(static_cast<model::Zone>(zone)))
        managed += node.zones.at(zone).managed;
  if (managed == 0) return host.memory_available;
  return std::min(*host.memory_available, Bytes(managed * host.page_size));
}

bool next_hold_own_map(const Host& host, plan::Source source, std::uint64_t blocks) {
  if (source == plan::Source::Standby && host.standby_own_map && !host.standby.empty())
    return model::BlockSet(*host.standby_own_map).contains(host.standby.front().first);
  return plan::holds_own_map(host, source, blocks);
}

Bytes cost_of_adding(const Host& host, plan::Source source, std::uint64_t blocks) {
  const std::uint64_t page_tables = host.block_size * blocks / huge_page(host) * 8;
  const bool own = next_hold_own_map(host, source, blocks);
  const std::uint64_t map = own ? 0 : blocks * map_of_block(host);
  return Bytes(map + page_tables + blocks * kBlockDevice);
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
