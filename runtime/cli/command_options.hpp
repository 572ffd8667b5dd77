// SPDX-License-Identifier: LGPL-2.1-or-later
// The options that several commands share, and their values.
#pragma once

#include <chrono>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/cli/command.hpp"

namespace memonline::cli {

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

/// What commands that change memory have in common.
struct RunOptions {
  std::chrono::milliseconds wait{0};  ///< for another run to finish
  std::optional<std::chrono::milliseconds>
      deadline;  ///< for offlining one block; empty: by what moves
  std::optional<std::chrono::milliseconds> retry;  ///< for how long an unplug is tried again
  Format format = Format::Text;                    ///< Text or Json
  bool direct = false;                             ///< without memonlined, even if it is running
};

Option help_option();
Option version_option();
Option color_option();
Option root_option();
Option policy_option();
Option expression_option();
Option dry_run_option();
Option direct_option();
/// `-o FILE`. The formats are those of format_options(); without any the suffix is free.
Option output_option(std::initializer_list<Format> formats = {});

/// Every command has --help and --color.
std::vector<Option> with_common(std::vector<Option> options);
/// --root, --policy and -e.
void add_where(std::vector<Option>& options);
/// --format, and --json where there is JSON.
void add_formats(std::vector<Option>& options, std::initializer_list<Format> formats);
/// --deadline, --wait, --format, --json and --direct.
void add_run(std::vector<Option>& options);

std::string_view format_name(Format format);

/// Which host and which policies. `ask_service`: if memonlined runs, gets the state of this machine
/// from it, unless --direct was given. An empty root is an error, also in MEMONLINE_ROOT.
Result<Where, UsageError> where_of(const Given& given, bool ask_service = false);
/// A duration greater than zero.
Result<std::chrono::milliseconds, UsageError> time_of(const Given& given, std::string_view name);
Result<RunOptions, UsageError> run_options_of(const Given& given);

/// The requested format of the output.
struct Form {
  Format output = Format::Text;
  Format errors = Format::Text;  ///< by --format or --json: -o never changes this
  bool chosen = false;           ///< by --format or --json
};
/// By --format and --json, else by the suffix of -o FILE, else text. A suffix that is not one of
/// `formats` is an error, and so is one that conflicts with --format.
Result<Form, UsageError> form_of(const Given& given, std::initializer_list<Format> formats);

/// The file of -o; empty: standard output.
std::string output_of(const Given& given);
/// For a command with one format: a suffix, if there is one, must be one of these.
std::optional<UsageError> wrong_suffix(const Given& given,
                                       const std::vector<std::string_view>& suffixes);

}  // namespace memonline::cli
