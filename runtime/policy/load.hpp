// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads policies: those that were named, given as text, or found on the search path, also in
// packages.
#pragma once

#include <string>
#include <vector>

#include "compiler/diag/diagnostic.hpp"
#include "compiler/source/source.hpp"

namespace memonline::policy {

/// Where policies come from. Without files and texts: the search path below `root`.
struct Sources {
  std::string root = "/";
  std::vector<std::string> files;  ///< "-" is standard input
  std::vector<std::string> texts;  ///< shown as <-e>, <-e 2>, ...
  std::string first_rule{};  ///< before all others, shown as <left-alone>; not a policy by itself
};

struct Policies {
  source::SourceSet files;  ///< what the compiler reads
  source::SourceSet shown;  ///< `files`, then the YAML around them: what diagnostics point into
  diag::Sink problems;      ///< unreadable files, mistakes in packages
  std::vector<std::string> directories;  ///< the search path, if it was used
  [[nodiscard]] bool none() const { return files.empty() && !problems.has_errors(); }
};

/// Never fails: errors are in `problems`. A missing policy is not one of them.
Policies load(const Sources& sources);

}  // namespace memonline::policy
