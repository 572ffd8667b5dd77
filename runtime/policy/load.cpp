// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/policy/load.hpp"

#include <utility>

#include <fmt/format.h>
#include <sys/stat.h>

#include "runtime/base/digest.hpp"
#include "runtime/base/file.hpp"
#include "runtime/policy/package.hpp"
#include "runtime/policy/store.hpp"

namespace memonline::policy {

namespace {

class Loader {
 public:
  void add(const std::string& path, std::string text) {
    std::string digest = runtime::sha256_of(text);
    if (!is_package_name(path)) {
      result_.files.emplace_back(path, std::move(text), std::move(digest));
      return;
    }
    outer_.emplace_back(path, std::move(text), std::move(digest));
    const auto number = static_cast<std::uint32_t>(outer_.size() - 1);
    if (auto package = read_package(outer_, number, in_outer_))
      result_.files.push_back(std::move(package->policy));
  }

  void add_unreadable(const runtime::FileError& error) {
    result_.problems.add(diag::Code::PolicyUnreadable, std::nullopt, error.message());
  }

  /// The YAML files follow the policies, so places in them move up by as many.
  Policies finish(const std::string& first_rule) && {
    if (!result_.files.empty() && !first_rule.empty())
      result_.files.emplace(result_.files.begin(), "<left-alone>", first_rule,
                            runtime::sha256_of(first_rule));
    const auto shift = static_cast<std::uint32_t>(result_.files.size());
    result_.shown = result_.files;
    for (source::SourceFile& file : outer_) result_.shown.push_back(std::move(file));
    for (diag::Diagnostic diagnostic : in_outer_.all()) {
      if (diagnostic.span) diagnostic.span->file += shift;
      if (diagnostic.fixit) diagnostic.fixit->span.file += shift;
      for (diag::Label& label : diagnostic.labels) label.span.file += shift;
      result_.problems.add(diagnostic.code, diagnostic.span, {}) = diagnostic;
    }
    return std::move(result_);
  }

  Policies& result() { return result_; }

 private:
  Policies result_;
  source::SourceSet outer_;
  diag::Sink in_outer_;
};

bool is_directory(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

}  // namespace

Policies load(const Sources& sources) {
  Loader loader;
  for (const std::string& path : sources.files) {
    auto text = runtime::read_regular_file(path);
    if (text)
      loader.add(path == "-" ? "<stdin>" : path, std::move(*text));
    else
      loader.add_unreadable(text.error());
  }
  for (std::size_t i = 0; i < sources.texts.size(); ++i)
    loader.add(i == 0 ? "<-e>" : fmt::format("<-e {}>", i + 1), sources.texts[i]);
  if (!sources.files.empty() || !sources.texts.empty())
    return std::move(loader).finish(sources.first_rule);

  // A host in a file (an archive, a snapshot) contains no policies.
  if (!is_directory(sources.root)) return std::move(loader).finish(sources.first_rule);
  auto store = read_store(sources.root);
  if (!store) {
    loader.add_unreadable(store.error());
    return std::move(loader).finish(sources.first_rule);
  }
  loader.result().directories = std::move(store->directories);
  for (const runtime::FileError& error : store->unreadable) loader.add_unreadable(error);
  for (PolicyFile& file : store->files)
    if (file.state == FileState::Used) loader.add(file.path, std::move(file.text));
  return std::move(loader).finish(sources.first_rule);
}

}  // namespace memonline::policy
