// SPDX-License-Identifier: LGPL-2.1-or-later
// The member `diagnostics` of the documents of several commands, in JSON or YAML.
#pragma once

#include <optional>

#include "compiler/diag/diagnostic.hpp"
#include "compiler/source/source.hpp"

namespace memonline::cli {

/// One diagnostic as an object; its place is null where it has none.
template <class Writer>
void write_diagnostic(Writer& out, const diag::Diagnostic& one, const source::SourceSet& shown) {
  out.begin_object()
      .member("code", diag::name_of(one.code))
      .member("severity", diag::severity_name(one.severity))
      .member("message", one.message);
  const bool placed = one.span && one.span->file < shown.size();
  out.key("path");
  if (placed) {
    const source::SourceFile& file = shown[one.span->file];
    const source::Place place = file.place(one.span->begin);
    out.value(file.path());
    out.member("line", place.line).member("column", place.column);
  } else {
    out.null().key("line").null().key("column").null();
  }
  out.key("notes").begin_array();
  for (const std::string& note : one.notes) out.value(note);
  out.end_array();
  out.member("help", one.help.empty() ? std::nullopt : std::optional(one.help));
  out.end_object();
}

/// The next member of an object: all diagnostics in the order in which they are shown.
template <class Writer>
void write_diagnostics(Writer& out, const diag::Sink& sink, const source::SourceSet& shown) {
  out.key("diagnostics").begin_array();
  for (const diag::Diagnostic& one : sink.sorted()) write_diagnostic(out, one, shown);
  out.end_array();
}

}  // namespace memonline::cli
