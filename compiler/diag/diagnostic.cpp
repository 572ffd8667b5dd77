// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/diag/diagnostic.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "compiler/base/names.hpp"

namespace memonline::diag {

std::string name_of(Code code) { return fmt::format("ML{:04}", static_cast<unsigned>(code)); }

namespace {

constexpr Names<Severity, 3> kSeverities{
    {{Severity::Error, "error"}, {Severity::Warning, "warning"}, {Severity::Note, "note"}}};

}  // namespace

std::string_view severity_name(Severity severity) { return name_in(kSeverities, severity); }
std::optional<Severity> severity_named(std::string_view name) {
  return value_in(kSeverities, name);
}

const std::vector<CodeEntry>& all_codes() {
  static const std::vector<CodeEntry> entries{
#define MEMONLINE_CODE(number, identifier, severity, title, paragraph) \
  {Code::identifier, Severity::severity, title, paragraph},
#include "compiler/diag/codes.def"
#undef MEMONLINE_CODE
  };
  return entries;
}

const CodeEntry& entry_of(Code code) {
  const auto& entries = all_codes();
  return *std::find_if(entries.begin(), entries.end(),
                       [&](const CodeEntry& e) { return e.code == code; });
}

std::optional<Code> code_named(std::string_view name) {
  for (const CodeEntry& entry : all_codes()) {
    const std::string known = name_of(entry.code);
    const bool same = std::equal(
        name.begin(), name.end(), known.begin(), known.end(),
        [](char a, char b) { return (a >= 'a' && a <= 'z' ? char(a - 'a' + 'A') : a) == b; });
    if (same) return entry.code;
  }
  return std::nullopt;
}

void replace_by(Diagnostic& diagnostic, const source::SourceSpan& span, std::string_view text,
                std::string_view by) {
  diagnostic.help = fmt::format("replace `{}` with `{}`", text, by);
  diagnostic.fixit = FixIt{span, std::string(by)};
}

Diagnostic& Sink::add(Code code, std::optional<source::SourceSpan> span, std::string message) {
  return add_as(entry_of(code).severity, code, span, std::move(message));
}

Diagnostic& Sink::add_as(Severity severity, Code code, std::optional<source::SourceSpan> span,
                         std::string message) {
  if (severity == Severity::Error) ++errors_;
  return keep({code, severity, std::move(message), span, {}, {}, {}, {}});
}

Diagnostic& Sink::keep(Diagnostic d) {
  if (++counts_[static_cast<std::size_t>(d.severity)] <= kMaxKept)
    return all_.emplace_back(std::move(d));
  ++left_out_;
  return spare_.emplace(std::move(d));
}

std::vector<Diagnostic> Sink::sorted() const {
  std::vector<Diagnostic> result = all_;
  std::stable_sort(result.begin(), result.end(), [](const Diagnostic& a, const Diagnostic& b) {
    if (a.span.has_value() != b.span.has_value()) return a.span.has_value();
    if (!a.span) return false;
    if (a.span->file != b.span->file) return a.span->file < b.span->file;
    return a.span->begin < b.span->begin;
  });
  const auto same = [](const Diagnostic& a, const Diagnostic& b) {
    return a.code == b.code && a.span == b.span && a.message == b.message;
  };
  result.erase(std::unique(result.begin(), result.end(), same), result.end());
  if (left_out_ > 0)
    result.push_back({Code::NotAllShown,
                      Severity::Note,
                      fmt::format("{} more diagnostics are not shown", left_out_),
                      {},
                      {},
                      {},
                      "resolve those above first",
                      {}});
  return result;
}

void Sink::append(const Sink& other) {
  for (const Diagnostic& d : other.all_) keep(d);
  left_out_ += other.left_out_;
  errors_ += other.errors_;
}

void Sink::append_errors(const Sink& other) {
  for (const Diagnostic& d : other.all_)
    if (d.severity == Severity::Error) keep(d);
  errors_ += other.errors_;
}

}  // namespace memonline::diag
