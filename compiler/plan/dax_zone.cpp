// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/plan/dax_zone.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "compiler/diag/first_few.hpp"

namespace memonline::plan {

namespace {

/// The dax devices that a share puts into a kernel zone, each once.
struct Affected {
  std::optional<source::SourceSpan> share;
  std::vector<std::string> devices;
};
using ByShare = std::map<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>, Affected>;

void add(ByShare& all, const std::optional<source::SourceSpan>& share, const std::string& device) {
  const source::SourceSpan at = share.value_or(source::SourceSpan{});
  Affected& one = all[{at.file, at.begin, at.end}];
  one.share = share;
  if (one.devices.empty() || one.devices.back() != device) one.devices.push_back(device);
}

// By number: dax2.0 before dax10.0.
std::vector<std::string> each_once(std::vector<std::string> names) {
  std::sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
    return std::pair(a.size(), a) < std::pair(b.size(), b);
  });
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace

void warn_of_kernel_dax(const Allocation& allocation, const std::vector<Step>& steps,
                        const model::Host& host, diag::Sink& sink) {
  if (std::none_of(host.devices.begin(), host.devices.end(), [](const model::Device& device) {
        return device.kind == model::Device::Kind::Dax;
      }))
    return;
  ByShare all;
  for (const Step& step : steps) {
    const auto* online = std::get_if<OnlineBlocks>(&step.action);
    if (online == nullptr || online->zone == model::Zone::Movable) continue;
    const model::BlockRange blocks = online->blocks.range();
    auto at =
        std::partition_point(allocation.decisions.begin(), allocation.decisions.end(),
                             [&](const Decision& one) { return one.blocks.last() < blocks.first; });
    for (; at != allocation.decisions.end() && at->blocks.first <= blocks.last; ++at) {
      const model::Device& device = host.devices.at(at->blocks.device);
      if (device.kind == model::Device::Kind::Dax) add(all, at->span, device.name);
    }
  }
  for (const auto& [place, one] : all) {
    auto& d = sink.add(
        diag::Code::KernelMemoryOnDax, one.share,
        fmt::format("kernel memory on {}: within seconds, unmovable pages are there, and the "
                    "device cannot be removed before the next boot",
                    diag::first_few(each_once(one.devices))));
    d.help = "use `movable` for memory that may be removed again";
  }
}

}  // namespace memonline::plan
