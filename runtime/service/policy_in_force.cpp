// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/service/policy_in_force.hpp"

#include <algorithm>
#include <utility>

#include "compiler/sema/analyse.hpp"
#include "runtime/base/digest.hpp"
#include "runtime/policy/readable.hpp"

namespace memonline::service {

namespace {

/// Every user may see plans and messages: they must not quote files that some users may not read.
void withhold_private(source::SourceSet& files) {
  for (source::SourceFile& file : files)
    // Policies of the command line, such as <-e>, are not in a file, and every user sees them.
    if (!file.path().empty() && file.path().front() != '<' &&
        !policy::everybody_may_read(file.path()))
      file.withhold();
}

bool withheld(const source::SourceSet& files, const source::SourceSpan& span) {
  return span.file < files.size() && files[span.file].withheld();
}

/// The same, but for files whose text is withheld only the codes and locations.
diag::Sink without_quotes(const diag::Sink& sink, const source::SourceSet& files) {
  if (std::none_of(files.begin(), files.end(), [](const auto& file) { return file.withheld(); }))
    return sink;
  diag::Sink filtered;
  for (diag::Diagnostic one : sink.all()) {
    const bool quotes =
        (one.span && withheld(files, *one.span)) ||
        (one.fixit && withheld(files, one.fixit->span)) ||
        std::any_of(one.labels.begin(), one.labels.end(),
                    [&](const diag::Label& label) { return withheld(files, label.span); });
    if (quotes) {
      one.message = "details withheld: not every user may read the file";
      one.help = "run `memonline check` as root to see them";
      one.notes.clear();
      one.labels.clear();
      one.fixit.reset();
    }
    filtered.add(one.code, one.span, {}) = one;
  }
  return filtered;
}

LoadedPolicy check(source::SourceSet files, source::SourceSet shown, diag::Sink sink) {
  LoadedPolicy loaded{nullptr, std::move(sink), std::move(shown)};
  if (files.empty()) return loaded;
  auto analysed = sema::analyse(files, loaded.sink);
  loaded.sink = without_quotes(loaded.sink, loaded.shown);
  if (!analysed || loaded.sink.has_errors()) return loaded;
  auto ready = std::make_shared<ReadyPolicy>();
  ready->policy = std::move(*analysed);
  for (const source::SourceFile& file : files) ready->refs.push_back({file.label(), file.digest()});
  ready->files = std::move(files);
  ready->shown = loaded.shown;
  ready->warnings = loaded.sink;
  loaded.ready = std::move(ready);
  return loaded;
}

}  // namespace

LoadedPolicy load_policy(const policy::Sources& sources) {
  policy::Policies policies = policy::load(sources);
  withhold_private(policies.files);
  withhold_private(policies.shown);
  return check(std::move(policies.files), std::move(policies.shown), std::move(policies.problems));
}

LoadedPolicy check_text(const std::string& name, std::string text) {
  source::SourceSet files;
  std::string digest = runtime::sha256_of(text);
  files.emplace_back(name, std::move(text), std::move(digest));
  source::SourceSet shown = files;
  return check(std::move(files), std::move(shown), {});
}

std::shared_ptr<const ReadyPolicy> leaving_alone(const ReadyPolicy& ready,
                                                 const model::BlockSet& blocks) {
  auto changed = std::make_shared<ReadyPolicy>(ready);
  if (blocks.empty()) return changed;
  const std::string text = "changed by another process or a job: keep";
  const auto number = static_cast<std::uint32_t>(changed->files.size());
  changed->files.emplace_back("<memonlined>", text, runtime::sha256_of(text));
  const source::SourceSpan span{number, 0, static_cast<std::uint32_t>(text.size())};
  sema::Rule rule;
  rule.span = span;
  rule.only_present = true;
  rule.selector.span = span;
  sema::BlockList list;
  for (const auto& [first, last] : blocks) list.ranges.emplace_back(first, last);
  rule.selector.classes.push_back({std::move(list), span});
  sema::Share share;
  share.target = sema::Target::Keep;
  share.span = span;
  rule.shares.push_back(share);
  auto& statements = changed->policy.statements;
  statements.insert(statements.begin(), sema::Statement(std::move(rule)));
  return changed;
}

}  // namespace memonline::service
