// SPDX-License-Identifier: LGPL-2.1-or-later
// From places to texts: the policies that were named, given in words, or found on the search path,
// packages opened.
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
  std::string first_rule{};  ///< before all others, shown as <left-alone>; by itself no policy
};

struct Policies {
  source::SourceSet files;  ///< what the compiler reads
  source::SourceSet shown;  ///< `files`, then the YAML around them: what diagnostics point into
  diag::Sink problems;      ///< unreadable files, mistakes in packages
  std::vector<std::string> directories;  ///< the search path, if it was used
  [[nodiscard]] bool none() const { return files.empty() && !problems.has_errors(); }
};

/// Never fails: what is wrong is in `problems`. No policy at all is no problem yet.
Policies load(const Sources& sources);

}  // namespace memonline::policy
