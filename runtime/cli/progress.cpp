// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/cli/progress.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <unistd.h>

#include "runtime/cli/output.hpp"

namespace memonline::cli {

namespace {

using std::chrono::duration;
using std::chrono::steady_clock;

constexpr auto kFirst = std::chrono::milliseconds(500);
constexpr auto kLines = std::chrono::seconds(10);
// A write takes milliseconds; one that takes this long is waiting.
constexpr double kSlow = 3;

double gib(std::uint64_t blocks, std::uint64_t block_size) {
  return static_cast<double>(blocks * block_size) / (1U << 30U);
}

}  // namespace

CurrentState current_state_of(const apply::Program& program, apply::SharedProgress& shared) {
  const apply::SharedProgress::Head& head = shared.head();
  CurrentState state;
  state.step = program.tasks.at(head.task.load()).step;
  state.steps = program.tasks.back().step;
  state.done = head.settled.load();
  state.blocks = program.blocks;
  state.block_size = program.block_size;
  state.at = fmt::format("memory{}", head.block.load());
  const std::int64_t began = head.write_began.load();
  const auto now =
      std::chrono::duration_cast<std::chrono::nanoseconds>(steady_clock::now().time_since_epoch())
          .count();
  const double waits = began == 0 ? 0 : static_cast<double>(now - began) / 1e9;
  state.stuck = waits > kSlow;
  if (state.stuck)
    state.at += fmt::format(": {:.0f} s {}", waits,
                            head.offlining.load() ? "migrating its pages or waiting"
                                                  : "waiting for the kernel's hotplug lock");
  return state;
}

std::string progress_text(const CurrentState& state, double seconds) {
  if (state.steps == 0) return fmt::format("{}: {} of {}", state.at, state.done, state.blocks);
  std::string text = fmt::format("step {} of {}: {} of {} blocks", state.step, state.steps,
                                 state.done, state.blocks);
  if (!state.stuck) {
    const double rate = static_cast<double>(state.done) / seconds;
    if (state.block_size != 0)
      text += fmt::format(", {:.1f} of {:.1f} GiB", gib(state.done, state.block_size),
                          gib(state.blocks, state.block_size));
    text += fmt::format(", {:.0f} blocks/s", rate);
    if (state.done > 0)
      text += fmt::format(", {:.0f} s left", static_cast<double>(state.blocks - state.done) / rate);
  }
  return state.at.empty() ? text : text + "; " + state.at;
}

Progress::Progress()
    : began_(steady_clock::now()), shown_(began_), terminal_(::isatty(STDERR_FILENO) == 1) {}

void Progress::show(const CurrentState& state) {
  const auto now = steady_clock::now();
  if (now - began_ < kFirst || (!terminal_ && now - shown_ < kLines)) return;
  shown_ = now;
  std::string text = progress_text(state, duration<double>(now - began_).count());
  // The next line could not erase a line that wraps.
  if (terminal_) text.resize(std::min(text.size(), terminal_width(STDERR_FILENO).value_or(80) - 1));
  print_error(terminal_ ? "\r" + text + "\x1b[K" : text + "\n");
  on_screen_ = terminal_;
}

void Progress::clear() {
  if (on_screen_) print_error("\r\x1b[K");
  on_screen_ = false;
}

}  // namespace memonline::cli
