// SPDX-License-Identifier: LGPL-2.1-or-later
// The words after `memonline` as a value. The only part that knows CLI11.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "runtime/cli/exit_status.hpp"

namespace memonline::cli {

enum class ColorChoice : std::uint8_t { Auto, Always, Never };
enum class Format : std::uint8_t { Text, Json, Yaml, Shell };

/// Which host, which policies. MEMONLINE_ROOT is looked up by the parser.
struct Where {
  std::string root = "/";
  std::vector<std::string> policies;     ///< --policy, in order
  std::vector<std::string> expressions;  ///< -e, in order
};

struct CheckOptions {
  Where where;
  Format format = Format::Text;
};
struct PlanOptions {
  Where where;
  std::optional<Format> format;  ///< empty: by the name of the output file, else text
  bool exit_code = false;
  std::string output;  ///< empty: standard output
};
struct StatusOptions {
  Where where;
  Format format = Format::Text;
};
struct ExplainOptions {
  Where where;
  Format format = Format::Text;
  std::string what;
};
struct CaptureOptions {
  Where where;
  std::string output;
};
struct FmtOptions {
  bool check = false;
  bool write = false;
  std::vector<std::string> files;
};
struct TestOptions {
  std::vector<std::string> paths;
};
struct CatPolicyOptions {
  Where where;
  bool list = false;
};

struct CommandLine {
  ColorChoice color = ColorChoice::Auto;
  std::variant<CheckOptions, PlanOptions, StatusOptions, ExplainOptions, CaptureOptions, FmtOptions,
               TestOptions, CatPolicyOptions>
      command;
};

/// Help, the version or a complaint: to be printed, then the program ends.
struct Ending {
  ExitStatus status = ExitStatus::Done;
  std::string text;  ///< to standard output if Done, else to standard error
};

std::variant<CommandLine, Ending> parse_command_line(int argc, const char* const* argv);

}  // namespace memonline::cli
