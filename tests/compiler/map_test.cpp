// SPDX-License-Identifier: LGPL-2.1-or-later
// Pictures of memory: to scale, small whatever the host, and never without a block that differs.
#include "compiler/render/map.hpp"

#include <algorithm>
#include <cstdlib>

#include "tests/support/catch.hpp"
#include "tests/support/host_builder.hpp"
#include "tests/support/planning.hpp"

namespace memonline {

using model::Zone;
using render::map_to_html;
using render::map_to_svg;
using render::map_to_text;
using test::HostBuilder;

namespace {

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t times = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++times;
  return times;
}

/// The width of the first part of this class, in pixels; below 0: there is none.
double width_of(const std::string& svg, const std::string& name) {
  const std::size_t end = svg.find("class=\"" + name + "\"><title>");
  if (end == std::string::npos) return -1;
  const std::size_t at = svg.rfind("width=\"", end);
  return std::strtod(svg.c_str() + at + 7, nullptr);
}

}  // namespace

TEST_CASE("map: eight blocks are eight letters") {
  const auto host = HostBuilder()
                        .boot(0, 0, 1, Zone::Dma32, true)
                        .boot(0, 1, 3)
                        .dimm(1, 32, 2)
                        .dimm_online(1, 34, 2, Zone::Movable)
                        .build();
  CHECK(map_to_text(host, {}) == R"(node0
  boot    512 MiB  #NNN

node1
  dimm0   512 MiB  ..MM

Each character is 128 MiB, one memory block:
  N  a kernel zone               384 MiB
  M  Movable                     256 MiB
  #  several zones in one block  128 MiB
  .  offline                     256 MiB
)");
  const std::string colored = map_to_text(host, {64, true});
  CHECK(colored.find("\033[0;35m#\033[0;34mNNN\033[0m\n") != std::string::npos);
}

TEST_CASE("map: half a million blocks are as wide as asked for") {
  const auto host = HostBuilder().boot(0, 0, 262144).dimm(0, 262144, 262144).build();
  const std::string text = map_to_text(host, {64, false});
  CHECK(text.find("  boot     32 TiB  " + std::string(64, 'N') + "\n") != std::string::npos);
  CHECK(
      text.find(
          "Each character is 512 GiB, 4096 memory blocks; it shows the state of the majority:\n") !=
      std::string::npos);
  CHECK(map_to_svg(host).size() < 4096);
}

TEST_CASE("map: a single block among half a million is to be seen, and is where it belongs") {
  const auto host = HostBuilder().boot(0, 0, 500000).boot(0, 500000, 1, Zone::Dma32, true).build();
  const std::string svg = map_to_svg(host);
  CHECK(width_of(svg, "several") >= 1);
  CHECK(svg.find("<title>memory500000: several zones in one block, 128 MiB</title>") !=
        std::string::npos);
  CHECK(svg.find("x=\"898.5\"") != std::string::npos);
}

TEST_CASE("map: bars are to scale, in one picture before and after") {
  const auto host = HostBuilder().boot(0, 0, 8).dimm(0, 32, 32).build();
  const Compilation c = test::plan_for(host, "hotplugged: first 25% normal, rest movable");
  REQUIRE(c.plan);
  const model::Host after = render::carried_out(*c.plan, host);
  CHECK(after.blocks == c.outcome.blocks);
  const std::string svg = map_to_svg(host, &after);
  CHECK(width_of(svg, "kernel") == 160);
  CHECK(width_of(svg, "offline") == 640);
  CHECK(width_of(svg, "movable") == 480);
  CHECK(count(svg, ">as planned<") == 2);
  CHECK(svg.find("<desc>Now: a kernel zone: 1 GiB; offline: 4 GiB. As planned: a kernel zone: "
                 "2 GiB; Movable: 3 GiB</desc>") != std::string::npos);
}

TEST_CASE("map: what a host calls its devices stays text") {
  auto host = HostBuilder().boot(0, 0, 8).dimm(0, 32, 8).build();
  host.devices.back().name = "<b>&\"";
  host.kernel = "6.1<script>";
  const std::string html = map_to_html(host);
  CHECK(count(html, "<b>") + count(html, "<script>") == 0);
  CHECK(count(html, "&lt;b&gt;&amp;&quot;") == 2);
  CHECK(html.find("<td>node0</td><td>boot</td><td>memory0..7</td><td>1 GiB</td><td>Normal</td>") !=
        std::string::npos);
}

}  // namespace memonline
