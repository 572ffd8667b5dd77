// SPDX-License-Identifier: LGPL-2.1-or-later
// The question of `memonline` to systemd, alone: exit status 0 where the machine goes down.
#include "runtime/cli/going_down.hpp"

int main() { return memonline::cli::machine_goes_down() ? 0 : 1; }
