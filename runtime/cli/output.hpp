// SPDX-License-Identifier: LGPL-2.1-or-later
// Where texts go, in which format, and how the command ends. Everything is made whole before the
// first byte is written, so that an error never leaves half a document.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace memonline::cli {

/// The exit status of the command. Scripts rely on the numbers.
enum class ExitStatus : std::uint8_t {
  Done = 0,            ///< done, or nothing to do
  Failure = 1,         ///< the machine, a file or a test failed
  Usage = 2,           ///< the command line or a policy is invalid
  ChangesPending = 3,  ///< `status`, `plan --exit-code`: there are steps, or drift without any
  RebootPending = 4,   ///< only kernel parameters for the next boot are
  Partly = 64,         ///< partial success
};

enum class ColorChoice : std::uint8_t { Auto, Always, Never };
enum class Format : std::uint8_t { Text, Json, Yaml, Shell, Svg, Html, Prometheus };

/// May standard error be colored? --color decides; `auto` checks NO_COLOR (wins),
/// CLICOLOR_FORCE, TERM and the terminal.
bool color_errors(ColorChoice choice);

/// The same for standard output.
bool color_output(ColorChoice choice);
/// The same for what print_to(path, ...) writes: a file is colored only on request.
bool color_output(ColorChoice choice, const std::string& path);
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
