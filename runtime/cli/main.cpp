// SPDX-License-Identifier: LGPL-2.1-or-later
// The command `memonline`: reads its words, runs one command.
#include <exception>
#include <new>

#include <unistd.h>

#include "runtime/cli/commands.hpp"
#include "runtime/cli/output.hpp"

using namespace memonline::cli;

int main(int argc, char** argv) {
  try {
    const auto parsed = parse_command_line(argc, argv);
    if (const auto* ending = std::get_if<Ending>(&parsed)) {
      if (ending->status == ExitStatus::Done) return static_cast<int>(print(ending->text));
      print_error(ending->text);
      return static_cast<int>(ending->status);
    }
    const auto& line = std::get<CommandLine>(parsed);
    return static_cast<int>(
        std::visit([&](const auto& options) { return run(options, line.color); }, line.command));
  } catch (const std::bad_alloc&) {
    return static_cast<int>(complain(ExitStatus::Failure, "out of memory"));
  } catch (const std::exception& error) {
    return static_cast<int>(complain(ExitStatus::Failure, error.what()));
  }
}
