// SPDX-License-Identifier: LGPL-2.1-or-later
// The options of each command as a value, and the way from the words after `memonline` to a run.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/forecast/forecast.hpp"
#include "compiler/plan/unplug.hpp"
#include "compiler/render/targets.hpp"
#include "runtime/cli/exit_status.hpp"

namespace memonline::cli {

enum class ColorChoice : std::uint8_t { Auto, Always, Never };
enum class Format : std::uint8_t { Text, Json, Yaml, Shell, Svg, Html, Prometheus };

/// Which host, which policies. The parser reads MEMONLINE_ROOT.
struct Where {
  std::string root = "/";
  std::vector<std::string> policies;     ///< --policy, in order
  std::vector<std::string> expressions;  ///< -e, in order
  std::string first_rule{};              ///< before all policies, if there are any; empty: none
  bool offline = false;     ///< --offline: `rezone = allowed` in this run, whatever they say
  bool by_service = false;  ///< if memonlined runs, get the state of this machine from it
  bool to_write = false;    ///< read only what writing needs (runtime::Detail)
};

struct CheckOptions {
  Where where;
  Format format = Format::Text;
};
struct PlanOptions {
  Where where;
  Format format = Format::Text;
  Format errors = Format::Text;
  bool exit_code = false;
  std::string output;  ///< empty: standard output
  std::optional<plan::UnplugRequest> unplug;
  std::optional<forecast::AddRequest> add;
  std::string hosts;  ///< a directory of captured hosts; empty: the host of `where`
};
struct StatusOptions {
  Where where;
  Format format = Format::Text;
  Format errors = Format::Text;  ///< the format of errors: by --format, whatever the suffix of -o
  std::string output;
};
struct ExplainOptions {
  Where where;
  Format format = Format::Text;
  std::vector<std::string> what;
};
struct CaptureOptions {
  Where where;
  std::string output;
};
struct MapOptions {
  Where where;                   ///< without policies
  Format format = Format::Text;  ///< Text, Svg or Html
  std::string output;
};
struct GenerateOptions {
  Where where;
  render::TargetFile target = render::TargetFile::Udev;
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

/// What commands that change memory have in common.
struct RunOptions {
  std::chrono::milliseconds wait{0};          ///< for another run to finish
  std::chrono::milliseconds deadline{30000};  ///< for offlining one block
  Format format = Format::Text;               ///< Text or Json
  bool direct = false;                        ///< without memonlined, even if it is running
};
struct ApplyOptions {
  Where where;
  RunOptions run;
  std::string plan_file;  ///< empty: plan now
  bool dry_run = false;
  bool recover = false;  ///< only restore what a killed run left behind
  bool strict = false;   ///< competing onlining agents are errors
  bool boot = false;     ///< at boot: a missing policy is not an error
  std::optional<std::chrono::milliseconds> confirm;
};
struct UndoOptions {
  std::string root = "/";
  RunOptions run;
};
struct ConfirmOptions {
  std::string root = "/";
  bool direct = false;
};

/// `memonline boot`: parameters for the next boot.
struct BootOptions {
  enum class Action : std::uint8_t { Show, Apply, Remove };
  Where where;
  Action action = Action::Show;
  bool dry_run = false;
  Format format = Format::Text;  ///< Text or Json
};

/// Runs the command of the words after `memonline`. Reports usage errors on standard error.
ExitStatus run_command_line(int argc, const char* const* argv);

}  // namespace memonline::cli
