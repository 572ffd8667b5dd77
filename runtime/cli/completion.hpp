// SPDX-License-Identifier: LGPL-2.1-or-later
// Completions for bash, zsh and fish, made of the same options that the command line is read by.
#pragma once

#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

namespace memonline::cli {

/// The script for `shell`: bash, zsh or fish.
std::string completion_for(std::string_view shell, CLI::App& program);

}  // namespace memonline::cli
