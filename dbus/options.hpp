// SPDX-License-Identifier: LGPL-2.1-or-later
// The command line of `memonlined` as a value.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "compiler/model/block_set.hpp"

namespace memonline::bus {

/// Blocks whose writes fail in the simulation.
struct Refusal {
  model::BlockRange blocks;
  int error = 0;  ///< errno
};

struct DaemonOptions {
  std::string root = "/";
  std::string simulate;  ///< a captured host; empty: this machine
  std::chrono::milliseconds latency{0};
  std::vector<Refusal> refusals;  ///< of the simulation
  std::string directory;  ///< of a simulation: its /run and /etc are below; empty: a temporary one
  std::optional<int> event_fd;
  bool keep_switches = false;
  /// Time without a caller after which it exits if the kernel does all the work; empty: never.
  std::optional<std::chrono::seconds> exit_idle_time;
  bool put_back = false;  ///< only restore the settings that an idle service left
  std::vector<std::string> policies, expressions;
};
/// Help, the version, or an error.
struct Ending {
  int status = 0;
  std::string text;
};
std::variant<DaemonOptions, Ending> parse_options(int argc, const char* const* argv);

}  // namespace memonline::bus
