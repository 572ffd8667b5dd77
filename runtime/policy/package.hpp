// SPDX-License-Identifier: LGPL-2.1-or-later
// A policy package: one YAML file with a policy in a block scalar, its purpose and audience, and
// its own tests. policies/schema.md describes the fields. Messages about the policy point into the
// YAML file.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/diag/diagnostic.hpp"
#include "compiler/source/source.hpp"

namespace memonline::policy {

inline constexpr std::string_view kPackageSchema = "memonline.policy/1";

/// The memory of one node that a test expects, in bytes; empty: not checked.
struct ExpectedNode {
  std::optional<std::uint64_t> normal, movable, offline;
};

/// Empty members are not checked.
struct Expectation {
  std::map<std::uint32_t, ExpectedNode> outcome;
  std::optional<std::vector<std::string>> steps;  ///< "online_movable 79..42", "set KNOB=VALUE"
  std::optional<std::string> hotplug;             ///< kernel | service
  std::optional<std::vector<std::string>> diagnostics;  ///< codes of all errors and warnings
};

struct PackageTest {
  std::string name;
  std::uint32_t line = 1;     ///< in the YAML file, for reports
  std::string host_path;      ///< relative to the package's directory; empty: inline
  std::string host_snapshot;  ///< an inline snapshot as YAML text
  Expectation expect;
};

struct Package {
  std::string version, name, summary, description, who;
  source::SourceFile policy;  ///< the language, with its places in the YAML file
  /// Its lines: [first_line, first_line + lines) of the YAML file, from 0.
  std::uint32_t first_line = 0;
  std::uint32_t lines = 0;
  std::uint32_t indent = 0;
  std::vector<PackageTest> tests;
};

/// Reads `files[file]`, a YAML text. Mistakes go to `sink`, placed in that file; with an error
/// there is no package. Emits ML0701..ML0709.
std::optional<Package> read_package(const source::SourceSet& files, std::uint32_t file,
                                    diag::Sink& sink);

/// True for names that are packages: they end in ".yaml".
bool is_package_name(std::string_view path);

}  // namespace memonline::policy
