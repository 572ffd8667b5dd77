// SPDX-License-Identifier: LGPL-2.1-or-later
// The command `memonline`: reads its words, runs one command.
#include <exception>
#include <new>

#include "runtime/cli/command_line.hpp"
#include "runtime/cli/output.hpp"

using namespace memonline::cli;

int main(int argc, char** argv) {
  try {
    return static_cast<int>(run_command_line(argc, argv));
  } catch (const std::bad_alloc&) {
    return static_cast<int>(complain(ExitStatus::Failure, "out of memory"));
  } catch (const std::exception& error) {
    return static_cast<int>(complain(ExitStatus::Failure, error.what()));
  }
}
