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
// A write takes milliseconds; one that takes this long waits for something.
constexpr double kSlow = 3;

}  // namespace

Progress::Progress(const apply::Program& program)
    : program_(program),
      began_(steady_clock::now()),
      shown_(began_),
      terminal_(::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (on_screen_) print_error("\r\x1b[K");
}

void Progress::show(apply::Board& board) {
  const auto now = steady_clock::now();
  if (now - began_ < kFirst || (!terminal_ && now - shown_ < kLines)) return;
  shown_ = now;
  std::string text = line(board, duration<double>(now - began_).count());
  // What wraps is not taken back by the next line.
  if (terminal_) text.resize(std::min(text.size(), terminal_width(STDERR_FILENO).value_or(80) - 1));
  print_error(terminal_ ? "\r" + text + "\x1b[K" : text + "\n");
  on_screen_ = terminal_;
}

std::string Progress::line(apply::Board& board, double seconds) const {
  const apply::Board::Head& head = board.head();
  const std::uint64_t done = head.settled.load();
  const double rate = static_cast<double>(done) / seconds;
  const apply::Task& task = program_.tasks.at(head.task.load());
  std::string text = fmt::format("step {} of {}: {} of {} blocks", task.step,
                                 program_.tasks.back().step, done, program_.blocks);
  const std::int64_t began = head.write_began.load();
  const auto now =
      std::chrono::duration_cast<std::chrono::nanoseconds>(steady_clock::now().time_since_epoch())
          .count();
  const double waits = began == 0 ? 0 : static_cast<double>(now - began) / 1e9;
  if (waits > kSlow)
    return text + fmt::format("; memory{}: {:.0f} s {}", head.block.load(), waits,
                              head.offlining.load() ? "moving its pages away or waiting"
                                                    : "waiting for the kernel's hotplug lock");
  text +=
      fmt::format(", {:.1f} of {:.1f} GiB, {:.0f} blocks/s",
                  static_cast<double>(done * program_.block_size) / (1U << 30U),
                  static_cast<double>(program_.blocks * program_.block_size) / (1U << 30U), rate);
  if (done > 0)
    text += fmt::format(", {:.0f} s left", static_cast<double>(program_.blocks - done) / rate);
  return text + fmt::format("; memory{}", head.block.load());
}

}  // namespace memonline::cli
