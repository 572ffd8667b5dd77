// SPDX-License-Identifier: LGPL-2.1-or-later
// Diagnostics as text for people (file:line:col, the source line, the span marked, help) and as
// JSON for programs. Colour is the caller's choice.
#pragma once

#include <string>
#include <vector>

#include "compiler/diag/diagnostic.hpp"

namespace memonline::diag {

struct RenderOptions {
  bool colour = false;
};

/// One diagnostic as compact text, ending with a new line.
std::string to_text(const Diagnostic& diagnostic, const source::SourceSet& files,
                    const RenderOptions& options = {});
std::string to_text(const std::vector<Diagnostic>& diagnostics, const source::SourceSet& files,
                    const RenderOptions& options = {});
/// {"schema": "memonline.diagnostics/1", "diagnostics": [...]}: the fields of a diagnostic plus
/// path, line, column and byte offsets. Byte-stable, ends with a new line.
std::string to_json(const std::vector<Diagnostic>& diagnostics, const source::SourceSet& files);
/// The same document as YAML.
std::string to_yaml(const std::vector<Diagnostic>& diagnostics, const source::SourceSet& files);

}  // namespace memonline::diag
