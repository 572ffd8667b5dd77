// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/host/standby.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "runtime/host/text.hpp"

namespace memonline::runtime {

void read_standby(const Tree& tree, Notes& notes, model::Host& host) {
  constexpr const char* kStandby = "sys/firmware/memory";
  std::vector<std::uint64_t> ids;
  const auto listed = tree.visit(kStandby, [&](std::string_view name) {
    if (const auto id = number_after("memory", name)) ids.push_back(*id);
  });
  if (!listed) notes.failure(kStandby, listed.error());
  std::sort(ids.begin(), ids.end());
  model::BlockSet standby;
  model::BlockSet own_map;
  bool own_map_known = true;
  const auto read = [&](std::uint64_t id, const char* file) {
    const std::string path = fmt::format("{}/memory{}/{}", kStandby, id, file);
    auto text = tree.attribute(path.c_str());
    if (!text) notes.failure(path, text.error());
    return text ? std::optional(std::string(trimmed(*text))) : std::nullopt;
  };
  for (const std::uint64_t id : ids) {
    const auto config = read(id, "config");
    if (config) host.configures_standby = true;
    if (config != "0" || host.find_block(model::BlockId(id)) != nullptr) continue;
    standby.add(model::BlockId(id));
    const auto own = read(id, "memmap_on_memory");
    own_map_known = own_map_known && (own == "0" || own == "1");
    if (own == "1") own_map.add(model::BlockId(id));
  }
  host.standby = standby.ranges();
  if (own_map_known && !standby.empty()) host.standby_own_map = own_map.ranges();
}

}  // namespace memonline::runtime
