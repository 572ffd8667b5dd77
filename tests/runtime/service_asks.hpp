// SPDX-License-Identifier: LGPL-2.1-or-later
// What most tests of the service begin with and ask.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "tests/runtime/service_loop.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/host_builder.hpp"

namespace memonline::test {

inline constexpr auto kPolicy = "hotplugged: first 25% normal, rest movable\n";

inline model::Host small_host() { return HostBuilder().boot(0, 0, 8).dimm(0, 32, 8).build(); }

inline std::string zones(const RunningService& running, std::uint64_t first, std::uint64_t count) {
  std::string text;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto view = running.kernel->look(model::BlockId(first + i));
    text += view.state != model::State::Online      ? '.'
            : view.zones[0] == model::Zone::Movable ? 'M'
                                                    : 'N';
  }
  return text;
}

inline bool said(const RunningService& running, const std::string& part) {
  return std::any_of(running.said.begin(), running.said.end(),
                     [&](const std::string& line) { return line.find(part) != std::string::npos; });
}

inline service::PlanAnswer ask_plan(RunningService& running, service::PlanRequest request = {}) {
  std::optional<service::PlanAnswer> got;
  running.service->plan(std::move(request), [&](auto answer) { got = *answer; });
  REQUIRE(running.until([&] { return got.has_value(); }));
  return *got;
}

inline Result<std::uint64_t, service::Refused> ask_apply(
    RunningService& running, const std::string& digest, const service::ApplyRequest& request = {}) {
  std::optional<Result<std::uint64_t, service::Refused>> got;
  running.service->apply(digest, request, [&](auto answer) { got = answer; });
  REQUIRE(running.until([&] { return got.has_value(); }));
  return *got;
}

inline const service::Job* job(const RunningService& running, std::uint64_t id) {
  for (const service::Job& one : running.service->jobs())
    if (one.id == id) return &one;
  return nullptr;
}

inline bool until_done(RunningService& running, std::uint64_t id) {
  return running.until([&] { return job(running, id)->stage == service::Job::Stage::Done; });
}

inline void reload(RunningService& running) {
  bool reloaded = false;
  running.service->reload([&](const auto&) { reloaded = true; });
  REQUIRE(running.until([&] { return reloaded; }));
}

}  // namespace memonline::test
