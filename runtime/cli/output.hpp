// SPDX-License-Identifier: LGPL-2.1-or-later
// Where texts go. Everything is made whole before the first byte is written, so that an error
// never leaves half a document.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/cli/command_line.hpp"
#include "runtime/cli/exit_status.hpp"

namespace memonline::cli {

/// May standard error be colored? --color decides; `auto` checks NO_COLOR (wins),
/// CLICOLOR_FORCE, TERM and the terminal.
bool colour_errors(ColorChoice choice);

/// The same for standard output.
bool colour_output(ColorChoice choice);
/// The same for what print_to(path, ...) writes: a file is colored only on request.
bool colour_output(ColorChoice choice, const std::string& path);
/// The width of the terminal at this descriptor; empty: not a terminal.
std::optional<std::size_t> terminal_width(int descriptor);

/// Writes to standard output; gives `status`, or Failure with a message if writing failed.
ExitStatus print(std::string_view text, ExitStatus status = ExitStatus::Done);
/// The same to the file `path`, whole or not at all; to standard output for "" and "-".
ExitStatus print_to(const std::string& path, std::string_view text,
                    ExitStatus status = ExitStatus::Done);
void print_error(std::string_view text);
/// "memonline: MESSAGE" and, if there is one, "hint: HINT" on standard error; gives `status`.
ExitStatus complain(ExitStatus status, std::string_view message, std::string_view hint = {});
/// The same in a requested format: with Json a document on standard output, schema
/// memonline.diagnostics/1, whose only diagnostic has no code.
ExitStatus complain_as(Format format, ExitStatus status, std::string_view message,
                       std::string_view hint = {});

}  // namespace memonline::cli
