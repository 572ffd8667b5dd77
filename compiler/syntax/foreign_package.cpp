// SPDX-License-Identifier: LGPL-2.1-or-later
// Files that are named as a policy package (*.yaml) and are something else.
#include <algorithm>
#include <variant>

#include <fmt/format.h>

#include "compiler/syntax/foreign_document.hpp"
#include "compiler/syntax/parse.hpp"
#include "compiler/syntax/target_words.hpp"
#include "compiler/syntax/vocabulary.hpp"

namespace memonline::syntax {

namespace {

constexpr std::string_view kPackageIs =
    "a policy package is YAML that starts with `schema: memonline.policy/1`";

bool line_starts_with(std::string_view text, std::string_view start) {
  for (std::size_t at = text.find(start); at != std::string_view::npos;
       at = text.find(start, at + 1))
    if (at == 0 || text[at - 1] == '\n') return true;
  return false;
}

/// Its texts may contain anything; only its outermost keys are significant.
bool is_meant_as_package(std::string_view text) {
  const auto keys = {"schema: memonline.policy", "schema: \"memonline.policy",
                     "policy:", "summary:", "tests:"};
  return std::any_of(keys.begin(), keys.end(),
                     [&](std::string_view key) { return line_starts_with(text, key); });
}

/// A statement that nothing but a policy has.
bool is_of_policy(const ast::Statement& statement) {
  const auto* rule = std::get_if<ast::Rule>(&statement);
  if (rule == nullptr) return true;
  const ast::Class& first = rule->selector.classes.front();
  if (!is_class_word(first.name.text)) return false;
  // `node1: movble`; without a number the word may be a key of any YAML.
  return !first.ranges.empty() ||
         std::all_of(rule->shares.begin(), rule->shares.end(), [](const ast::Share& share) {
           return share.target && starts_share(share.target.text);
         });
}

/// With or without mistakes in it; where its first statement begins.
bool is_policy(const source::SourceSet& files, std::uint32_t file) {
  diag::Sink ignored;
  const ast::File tree = parse(files, file, ignored);
  return std::any_of(tree.statements.begin(), tree.statements.end(), is_of_policy);
}

/// The first line that is not a comment.
source::SourceSpan first_line(std::string_view text, std::uint32_t file) {
  std::size_t begin = 0;
  while (begin < text.size() && (text[begin] == '\n' || text[begin] == '\r' || text[begin] == '#'))
    begin = text[begin] == '#' ? std::min(text.find('\n', begin), text.size()) : begin + 1;
  const std::size_t end = std::min(text.find_first_of("\r\n", begin), text.size());
  return {file, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
}

}  // namespace

bool report_foreign_package(const source::SourceSet& files, std::uint32_t file, diag::Sink& sink) {
  const std::string& text = files[file].text();
  if (text.size() > kMaxFileSize) return false;
  const auto foreign = recognize_foreign(text);
  // Plans share some keys with packages, but have a schema.
  const bool named =
      foreign && (foreign->document == Document::Plan || foreign->document == Document::Host);
  if (!named && is_meant_as_package(text)) return false;
  if (foreign && (foreign->document == Document::PolicyPackage ||
                  foreign->document == Document::Yaml || foreign->document == Document::Json))
    return false;
  if (!foreign) {
    if (!is_policy(files, file)) return false;
    sink.add(diag::Code::ForeignDocument, first_line(text, file),
             "this is a policy, not a policy package")
        .help = "give the file a name that ends in .mempolicy: YAML around a policy is optional";
    return true;
  }
  const Description description = description_of(foreign->document);
  const source::SourceSpan span{file, static_cast<std::uint32_t>(foreign->begin),
                                static_cast<std::uint32_t>(foreign->end)};
  diag::Diagnostic& d = sink.add(diag::Code::ForeignDocument, span,
                                 fmt::format("this is {}, not a policy package", description.what));
  d.help = description.remedy.empty() ? std::string(kPackageIs)
                                      : fmt::format("{}; {}", description.remedy, kPackageIs);
  return true;
}

}  // namespace memonline::syntax
