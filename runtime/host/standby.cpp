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
  for (const std::uint64_t id : ids) {
    const std::string path = fmt::format("{}/memory{}/config", kStandby, id);
    const auto config = tree.attribute(path.c_str());
    if (!config) notes.failure(path, config.error());
    if (!config || trimmed(*config) != "0" || host.find_block(model::BlockId(id)) != nullptr)
      continue;
    if (!host.standby.empty() && host.standby.back().last + 1 == model::BlockId(id))
      host.standby.back().last = model::BlockId(id);
    else
      host.standby.push_back({model::BlockId(id), model::BlockId(id)});
  }
}

}  // namespace memonline::runtime
