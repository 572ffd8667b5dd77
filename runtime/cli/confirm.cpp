// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/cli/confirm.hpp"

#include <array>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "runtime/base/boot_clock.hpp"
#include "runtime/cli/going_down.hpp"
#include "runtime/cli/output.hpp"

namespace memonline::cli {

bool entered(bool& keyboard, std::chrono::milliseconds wait) {
  pollfd input{keyboard ? STDIN_FILENO : -1, POLLIN, 0};
  if (::poll(&input, 1, static_cast<int>(wait.count())) <= 0) return false;
  std::array<char, 256> line{};
  const ssize_t got = ::read(STDIN_FILENO, line.data(), line.size());
  if (got <= 0) keyboard = false;
  return got > 0;
}

void ask_for_confirmation(std::chrono::milliseconds time, bool keyboard) {
  print_error(fmt::format(
      "memonline: the changes are kept if {} within {} s; otherwise they are undone\n",
      keyboard ? "you press Enter here, or run `memonline confirm`," : "`memonline confirm` is run",
      std::chrono::duration_cast<std::chrono::seconds>(time).count()));
}

Confirmation wait_for_confirmation(const apply::RunDirectory& directory, const std::string& run,
                                   std::chrono::milliseconds time,
                                   const volatile std::sig_atomic_t* stops) {
  using runtime::BootClock;
  constexpr auto kPollInterval = std::chrono::milliseconds(200);
  bool keyboard = ::isatty(STDIN_FILENO) == 1;
  ask_for_confirmation(time, keyboard);
  const auto until = BootClock::now() + time;
  while (BootClock::now() < until && *stops == 0)
    if (entered(keyboard, kPollInterval) || directory.is_confirmed(run))
      return Confirmation::Confirmed;
  return machine_goes_down() ? Confirmation::GoingDown : Confirmation::Missing;
}

}  // namespace memonline::cli
