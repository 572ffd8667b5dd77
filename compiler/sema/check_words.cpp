// SPDX-License-Identifier: LGPL-2.1-or-later
// `when arch is amd64`: a word that no host reports never matches, which would go unnoticed.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "compiler/language/conditions.hpp"
#include "compiler/sema/checks.hpp"
#include "compiler/sema/facts.hpp"
#include "compiler/sema/words.hpp"

namespace memonline::sema {

namespace {

using diag::Code;

/// Its names elsewhere, in lower case.
constexpr Names<std::string_view, 20> kForeignWords{
    {{"x86_64", "amd64"},      {"x86_64", "x64"},        {"x86_64", "x86-64"},
     {"aarch64", "arm64"},     {"ppc64le", "ppc64el"},   {"ppc64le", "powerpc64le"},
     {"i686", "i386"},         {"x86_64", "x86"},        {"microsoft", "hyperv"},
     {"microsoft", "hyper-v"}, {"oracle", "virtualbox"}, {"oracle", "vbox"},
     {"vmware", "esxi"},       {"amazon", "aws"},        {"amazon", "ec2"},
     {"google", "gce"},        {"google", "gcp"},        {"qemu", "tcg"},
     {"none", "baremetal"},    {"none", "bare-metal"}}};

std::string_view meant_word(std::string_view text, const std::vector<std::string_view>& known) {
  const std::string lower = in_lower_case(text);
  for (const auto& foreign : kForeignWords)
    if (foreign.second == lower &&
        std::find(known.begin(), known.end(), foreign.first) != known.end())
      return foreign.first;
  return most_similar(text, known);
}

void check_value(Fact fact, const FactValue& value, const std::vector<std::string_view>& known,
                 diag::Sink& sink) {
  const bool fits = std::any_of(known.begin(), known.end(), [&](std::string_view word) {
    return matches_pattern(word, value.text);
  });
  if (fits || known.empty()) return;
  diag::Diagnostic& d = sink.add(Code::UnknownFactWord, value.span,
                                 fmt::format("`{}` is not a known value of `{}`", value.text,
                                             name_in(language::kFacts, fact)));
  const std::string_view meant = meant_word(value.text, known);
  if (!meant.empty())
    replace_by(d, {value.text, value.span}, meant);
  else if (fact == Fact::Virtualization)
    d.help = "use a word that `systemd-detect-virt --list` lists";
  else
    d.help = fmt::format("use {}", listed(known, "or"));
}

void visit(const std::vector<Statement>& statements, diag::Sink& sink) {
  for (const Statement& statement : statements) {
    const auto* when = std::get_if<When>(&statement);
    if (when == nullptr) continue;
    const std::vector<std::string_view> known = words_of(when->fact);
    for (const FactValue& value : when->values) {
      if (sink.all().size() >= kMaxWarnings) return;
      check_value(when->fact, value, known, sink);
    }
    visit(when->then, sink);
    visit(when->otherwise, sink);
  }
}

}  // namespace

void check_words(const Policy& policy, const source::SourceSet&, diag::Sink& sink) {
  diag::Sink found;
  visit(policy.statements, found);
  sink.append(found);
}

}  // namespace memonline::sema
