// SPDX-License-Identifier: LGPL-2.1-or-later
// A Diagnostic is a value: a stable code, a message, its location, notes and a remedy. Stages put
// diagnostics into a Sink; compiler/diag/render.hpp makes text and JSON of them. Each code is
// defined once, in codes.def, with the paragraph that `memonline explain` prints.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/source/source.hpp"

namespace memonline::diag {

enum class Severity : std::uint8_t { Error, Warning, Note };

enum class Code : std::uint16_t {
#define MEMONLINE_CODE(number, identifier, severity, title, paragraph) identifier = number,
#include "compiler/diag/codes.def"
#undef MEMONLINE_CODE
};

/// "ML0201".
std::string name_of(Code code);
std::string_view severity_name(Severity severity);
std::optional<Severity> severity_named(std::string_view name);

/// The entry of one code in codes.def.
struct CodeEntry {
  Code code;
  Severity severity;
  std::string_view title;
  std::string_view paragraph;  ///< its meaning, an example, and the corrected example
};
const std::vector<CodeEntry>& all_codes();
const CodeEntry& entry_of(Code code);
/// Finds "ML0201" (any case); empty for a name that was never given.
std::optional<Code> code_named(std::string_view name);

/// A second place that explains the first.
struct Label {
  source::SourceSpan span;
  std::string text;
};

/// Replacing `span` by `replacement` yields a file without this mistake.
struct FixIt {
  source::SourceSpan span;
  std::string replacement;
};

struct Diagnostic {
  Code code;
  Severity severity = Severity::Error;
  std::string message;                     ///< lower case, no final period, names in backticks
  std::optional<source::SourceSpan> span;  ///< empty: about the host or the run, not the text
  std::vector<Label> labels;
  std::vector<std::string> notes;  ///< further facts
  std::string help;                ///< the remedy, empty where there is none
  std::optional<FixIt> fixit;
};

/// "replace `text` with `by`", and the fix-it for that; `text` is the text of `span`.
void replace_by(Diagnostic& diagnostic, const source::SourceSpan& span, std::string_view text,
                std::string_view by);

/// Diagnostics of one severity that a sink keeps; of more, only how many there were.
inline constexpr std::size_t kMaxKept = 1000;

/// Diagnostics in the order they were found. Severity comes from codes.def.
class Sink {
 public:
  Diagnostic& add(Code code, std::optional<source::SourceSpan> span, std::string message);
  /// With another severity than the usual one of the code, for example because of `--strict`.
  Diagnostic& add_as(Severity severity, Code code, std::optional<source::SourceSpan> span,
                     std::string message);
  [[nodiscard]] bool has_errors() const { return errors_ > 0; }
  [[nodiscard]] std::size_t errors() const { return errors_; }
  [[nodiscard]] const std::vector<Diagnostic>& all() const { return all_; }
  /// By file and position, diagnostics without a place last, stable; exact repetitions dropped. The
  /// last one says how many were not kept.
  [[nodiscard]] std::vector<Diagnostic> sorted() const;
  void append(const Sink& other);
  void append_errors(const Sink& other);

 private:
  Diagnostic& keep(Diagnostic d);

  std::vector<Diagnostic> all_;
  std::size_t errors_ = 0;
  std::array<std::size_t, 3> counts_{};  ///< by severity
  std::size_t left_out_ = 0;
  std::optional<Diagnostic> spare_;  ///< the last one that was not kept: its adder writes to it
};

}  // namespace memonline::diag
