// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/compiler/any_plan.hpp"

#include "tests/support/host_builder.hpp"

namespace memonline::test {

using model::Era;
using model::Zone;

namespace {

std::string any_amount() {
  switch (number(0, 4)) {
    case 0: return std::to_string(number(1, 33)) + "% ";
    case 3: return pick<std::string>({"33.333333% ", "16.666666% ", "16.666667% ", "14.285714% "});
    case 1: return std::to_string(number(1, 8)) + " blocks ";
    case 2: return std::to_string(number(64, 1200)) + "MiB ";
    // At most a third: a rule has up to three amounts.
    default: return std::to_string(number(1, 32)) + "." + std::to_string(number(1, 99)) + "% ";
  }
}

std::string any_target() {
  return pick<std::string>({"movable", "movable", "normal", "normal", "auto", "offline", "keep"});
}

}  // namespace

std::uint64_t number(std::uint64_t low, std::uint64_t high) {
  return *rc::gen::inRange(low, high + 1);
}

model::Host any_host(Era era) {
  HostBuilder builder(era);
  const std::uint64_t nodes = number(1, 3);
  std::uint64_t at = number(0, 3);
  for (std::uint32_t node = 0; node < nodes; ++node) {
    builder.boot(node, at, number(1, 6));
    at += 8;
  }
  if (number(0, 3) == 0) builder.parameter("movable_node");
  if (era == Era::D && number(0, 2) == 0)
    builder.auto_movable(pick<std::uint64_t>({0, 100, 301}), number(0, 1) == 1);
  at = 64;
  for (std::uint32_t node = 0; node < nodes; ++node) {
    const std::uint64_t dimms = number(0, 3);
    for (std::uint64_t i = 0; i < dimms; ++i) {
      std::uint64_t size = number(1, 12);
      if (era >= Era::C1) {
        builder.dimm(node, at, 1);
        for (std::uint64_t block = at + 1; block < at + size; ++block) {
          const char kind = pick({'.', '.', 'N', 'M'});
          if (kind == '.') continue;
          builder.dimm_online(node, block, 1, kind == 'N' ? Zone::Normal : Zone::Movable);
        }
        at += size;
      } else {
        builder.dimm(node, at, size);
        at += size;
      }
      at += number(0, 2);
    }
  }
  model::Host host = builder.build();
  if (host.knobs.auto_online_blocks && number(0, 2) == 0)
    host.knobs.auto_online_blocks =
        era == Era::D ? pick<std::string>({"online", "online_kernel", "online_movable"}) : "online";
  return host;
}

std::string any_shares() {
  std::string text;
  const std::uint64_t shares = number(0, 3);
  for (std::uint64_t i = 0; i < shares; ++i)
    text += pick<std::string>({"", "first ", "last "}) + any_amount() + any_target() + ", ";
  return text + pick<std::string>({"rest ", "rest ", ""}) + any_target();
}

std::string any_rules() {
  std::string text;
  if (number(0, 3) == 0) text += "set rezone = allowed\n";
  const std::uint64_t rules = number(1, 3);
  for (std::uint64_t i = 0; i < rules; ++i) {
    text += pick<std::string>({"all", "hotplugged", "node0", "node1", "each node", "each dimm",
                               "boot", "hotplugged except node0", "block 64-70", "dimm1"});
    text += ": " + any_shares() + "\n";
  }
  return text;
}

std::string any_policy() {
  std::string text = any_rules();
  switch (number(0, 5)) {
    case 0: text += "limit movable to 3x normal\n"; break;
    case 1: text += "limit movable to 50% per node\n"; break;
    case 2: text += "limit movable to 1GiB\n"; break;
    default: break;
  }
  return text;
}

Era any_era() {
  return pick({Era::A1, Era::A2, Era::A3, Era::B, Era::C1, Era::C2, Era::D, Era::D, Era::D});
}

std::string any_limit() {
  std::string text = "limit movable to ";
  switch (number(0, 3)) {
    case 0: text += pick<std::string>({"3x", "1x", "0.5x", "2.5x", "0.334x"}) + " normal"; break;
    case 1: text += pick<std::string>({"50%", "25%", "33.3%", "10%"}); break;
    case 2: text += std::to_string(number(1, 12)) + " blocks"; break;
    default: text += pick<std::string>({"1GiB", "300MiB", "2GiB"}); break;
  }
  return text + pick<std::string>({"\n", " per node\n"});
}

}  // namespace memonline::test
