// SPDX-License-Identifier: LGPL-2.1-or-later
// Makes the hosts on the kernel model.
#include "tests/bounded/hosts.hpp"

#include <fmt/format.h>

#include "compiler/kernel/model.hpp"
#include "tests/support/host_builder.hpp"

namespace memonline::bounded {

using model::BlockId;
using model::OnlineWord;
using model::Zone;

namespace {

// Blocks of one range, in the order of their writes.
struct Writes {
  model::WriteRun run;
  Range::Kind kind;
};

// Kernel memory upward, then Movable downward: legal in every era if any order is.
std::vector<Writes> writes_of(const std::vector<Range>& ranges) {
  std::vector<Writes> up;
  std::vector<Writes> down;
  std::uint64_t first = 1;
  for (const Range& range : ranges) {
    const model::WriteRun run{BlockId(first), BlockId(first + range.blocks - 1)};
    if (range.kind == Range::Kind::HotKernel || range.kind == Range::Kind::BootOffline)
      up.push_back({run, range.kind});
    if (range.kind == Range::Kind::HotMovable)
      down.insert(down.begin(), {{run.last, run.first}, range.kind});
    first += range.blocks;
  }
  up.insert(up.end(), down.begin(), down.end());
  return up;
}

bool write(kernel::Model& model, const Writes& writes) {
  if (writes.kind == Range::Kind::BootOffline) return model.offline(writes.run).has_value();
  const bool movable = writes.kind == Range::Kind::HotMovable;
  const auto placed =
      model.online(writes.run, movable ? OnlineWord::OnlineMovable : OnlineWord::OnlineKernel);
  if (!placed) return false;
  for (const kernel::Placed& part : *placed)
    if ((part.zone == Zone::Movable) != movable) return false;
  return true;
}

std::vector<Block> blocks_of(const std::vector<Range>& ranges) {
  std::vector<Block> blocks{{0, 0, 0, 'N', true}};
  std::uint32_t devices = 0;
  for (const Range& range : ranges) {
    const std::uint32_t device = range.boot() ? 0 : ++devices;
    for (std::uint64_t i = 0; i < range.blocks; ++i)
      blocks.push_back({blocks.size(), range.node, device, range.state(), false});
  }
  return blocks;
}

// Whether the model's host is the one that was asked for.
bool is_as_requested(const model::Host& host, const std::vector<Block>& blocks) {
  for (const Block& block : blocks) {
    const model::BlockRun* run = host.find_block(BlockId(block.id));
    if (run == nullptr) return false;
    const bool online = run->state == model::State::Online;
    if (online != (block.before != '.')) return false;
    if (online && !block.fixed && (run->zones[0] == Zone::Movable) != (block.before == 'M'))
      return false;
  }
  return true;
}

}  // namespace

char Range::state() const {
  switch (kind) {
    case Kind::HotOffline:
    case Kind::BootOffline: return '.';
    case Kind::HotMovable:
    case Kind::BootMovable: return 'M';
    case Kind::HotKernel:
    case Kind::BootKernel: return 'N';
  }
  return '.';
}

std::optional<BoundedHost> host_of(const Kernel& kernel, const std::vector<Range>& ranges) {
  test::HostBuilder builder(kernel.era);
  builder.boot(0, 0, 1, Zone::Normal, true);
  if (kernel.movable_node) builder.parameter("movable_node");
  if (kernel.auto_movable) builder.auto_movable();
  std::uint64_t first = 1;
  for (const Range& range : ranges) {
    if (range.boot())
      builder.boot(range.node, first, range.blocks,
                   range.kind == Range::Kind::BootMovable ? Zone::Movable : Zone::Normal);
    else
      builder.dimm(range.node, first, range.blocks);
    first += range.blocks;
  }
  kernel::Model model(builder.build());
  for (const Writes& writes : writes_of(ranges))
    if (!write(model, writes)) return std::nullopt;
  BoundedHost made{kernel, ranges, model.host(), blocks_of(ranges)};
  if (!is_as_requested(made.host, made.blocks)) return std::nullopt;
  return made;
}

std::string BoundedHost::layout() const {
  std::string text;
  for (const Block& block : blocks) text += block.before;
  return text;
}

std::string BoundedHost::code() const {
  std::string text =
      fmt::format("  test::HostBuilder builder(Era::{});\n", model::era_name(kernel.era));
  text += "  builder.boot(0, 0, 1, Zone::Normal, true);\n";
  if (kernel.movable_node) text += "  builder.parameter(\"movable_node\");\n";
  if (kernel.auto_movable) text += "  builder.auto_movable();\n";
  std::uint64_t first = 1;
  for (const Range& range : ranges) {
    text += fmt::format("  builder.{}({}, {}, {}{});\n", range.boot() ? "boot" : "dimm", range.node,
                        first, range.blocks,
                        range.kind == Range::Kind::BootMovable ? ", Zone::Movable" : "");
    first += range.blocks;
  }
  text += "  kernel::Model model(builder.build());\n";
  for (const Writes& writes : writes_of(ranges)) {
    const std::string run = fmt::format("{{BlockId({}), BlockId({})}}", writes.run.first.value(),
                                        writes.run.last.value());
    if (writes.kind == Range::Kind::BootOffline)
      text += fmt::format("  REQUIRE(model.offline({}));\n", run);
    else
      text +=
          fmt::format("  REQUIRE(model.online({}, OnlineWord::{}));\n", run,
                      writes.kind == Range::Kind::HotMovable ? "OnlineMovable" : "OnlineKernel");
  }
  return text;
}

std::vector<BoundedHost> hosts_of(const Kernel& kernel, unsigned most,
                                  const std::vector<Range::Kind>& kinds,
                                  const std::vector<std::uint64_t>& sizes) {
  std::vector<Range> letters;
  for (const std::uint64_t size : sizes)
    for (const std::uint32_t node : {0U, 1U})
      for (const Range::Kind kind : kinds) letters.push_back({kind, node, size});
  std::vector<BoundedHost> hosts;
  std::vector<std::vector<Range>> longest{{}};
  for (unsigned length = 0; length <= most; ++length) {
    std::vector<std::vector<Range>> longer;
    for (const auto& ranges : longest) {
      if (auto host = host_of(kernel, ranges)) hosts.push_back(std::move(*host));
      if (length == most) continue;
      for (const Range& letter : letters) {
        longer.push_back(ranges);
        longer.back().push_back(letter);
      }
    }
    longest = std::move(longer);
  }
  return hosts;
}

}  // namespace memonline::bounded
