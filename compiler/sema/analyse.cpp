// SPDX-License-Identifier: LGPL-2.1-or-later
// The stages of the front half, in order: parse, resolve words, check.
#include "compiler/sema/analyse.hpp"

#include <cstddef>
#include <iterator>

#include "compiler/sema/checks.hpp"
#include "compiler/sema/lower.hpp"
#include "compiler/syntax/bounds.hpp"
#include "compiler/syntax/foreign_document.hpp"
#include "compiler/syntax/parse.hpp"

namespace memonline::sema {

std::optional<Policy> analyse(const source::SourceSet& files, diag::Sink& sink) {
  diag::Sink found;
  Policy policy;
  std::size_t count = 0;
  for (std::uint32_t file = 0; file < files.size(); ++file) {
    if (found.errors() >= syntax::kMaxErrors) break;
    diag::Sink of_file;
    const ast::File tree = syntax::parse(files, file, of_file);
    std::vector<Statement> statements;
    if (syntax::check_bounds(tree, count, of_file)) statements = lower(tree.statements, of_file);
    if (!of_file.has_errors() || !syntax::report_foreign(files[file].text(), file, found))
      found.append(of_file);
    std::move(statements.begin(), statements.end(), std::back_inserter(policy.statements));
  }
  if (found.errors() >= syntax::kMaxErrors)
    found.add(diag::Code::TooManyErrors, std::nullopt, "too many errors: the rest is not checked");
  if (!found.has_errors())
    for (const auto check :
         {check_reach, check_shares, check_settings, check_conditions, check_words})
      check(policy, files, found);
  sink.append(found);
  if (found.has_errors()) return std::nullopt;
  return policy;
}

}  // namespace memonline::sema
