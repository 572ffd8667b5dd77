// SPDX-License-Identifier: LGPL-2.1-or-later
// Files of another kind given as a policy: a udev rule, YAML, JSON, an INI section. Recognized by
// their form, and only where a text has errors, so that no policy is ever taken for one. One
// diagnostic then replaces the many that the parser would report.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "compiler/diag/diagnostic.hpp"
#include "compiler/source/source.hpp"

namespace memonline::syntax {

enum class Document : std::uint8_t {
  UdevRule,
  SystemdUnit,
  Ini,
  Toml,
  Settings,  ///< lines of NAME=VALUE
  Json,
  Plan,           ///< what `memonline plan --json` or `-o plan.yaml` writes
  Host,           ///< what `memonline capture` writes
  OwnDocument,    ///< any other document of memonline
  PolicyPackage,  ///< YAML with a policy in it
  Yaml,
  Xml,
  Script,
  ShellCommands,
  CommandLine,  ///< /proc/cmdline
  BootLoader,
  Tmpfiles,
  Lsmem,
  Iomem,
};

struct Foreign {
  Document document;
  std::size_t begin;  ///< the line that shows it
  std::size_t end;
};

struct Description {
  std::string_view what;    ///< "a udev rule"
  std::string_view remedy;  ///< what to do with it instead; may be empty
};
Description description_of(Document document);

/// The kind of the text, if it is certainly not a policy.
std::optional<Foreign> recognize_foreign(std::string_view text);

/// Reports the text of file number `file` as what it is; false where it is not recognized.
bool report_foreign(std::string_view text, std::uint32_t file, diag::Sink& sink);

/// The same of a file whose name says that it is a policy package. A policy is one of the things
/// that it may be instead; a package with mistakes and other YAML are not reported.
bool report_foreign_package(const source::SourceSet& files, std::uint32_t file, diag::Sink& sink);

}  // namespace memonline::syntax
