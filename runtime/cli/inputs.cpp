// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/cli/inputs.hpp"

#include <utility>

#include <fmt/format.h>
#include <sys/stat.h>

#include "compiler/diag/render.hpp"
#include "compiler/sema/analyse.hpp"
#include "runtime/base/digest.hpp"
#include "runtime/cli/output.hpp"
#include "runtime/host/read_host.hpp"
#include "runtime/policy/file.hpp"
#include "runtime/policy/package.hpp"
#include "runtime/policy/store.hpp"

namespace memonline::cli {

namespace {

class Loader {
 public:
  void add(const std::string& path, std::string text) {
    std::string digest = runtime::sha256_of(text);
    if (!policy::is_package_name(path)) {
      result_.files.emplace_back(path, std::move(text), std::move(digest));
      return;
    }
    outer_.emplace_back(path, std::move(text), std::move(digest));
    const auto number = static_cast<std::uint32_t>(outer_.size() - 1);
    if (auto package = policy::read_package(outer_, number, in_outer_))
      result_.files.push_back(std::move(package->policy));
  }

  void add_unreadable(const policy::FileError& error) {
    result_.problems.add(diag::Code::PolicyUnreadable, std::nullopt, error.message());
  }

  /// The YAML files follow the policies, so places in them move up by as many.
  Policies finish() && {
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

bool exists(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0;
}

}  // namespace

Policies load_policies(const Where& where) {
  Loader loader;
  for (const std::string& path : where.policies) {
    auto text = policy::read_file(path);
    if (text)
      loader.add(path == "-" ? "<stdin>" : path, std::move(*text));
    else
      loader.add_unreadable(text.error());
  }
  for (std::size_t i = 0; i < where.expressions.size(); ++i)
    loader.add(i == 0 ? "<-e>" : fmt::format("<-e {}>", i + 1), where.expressions[i]);
  if (!where.policies.empty() || !where.expressions.empty()) return std::move(loader).finish();

  // A host in a file (an archive, a snapshot) brings no policies.
  if (!is_directory(where.root)) return std::move(loader).finish();
  auto store = policy::read_store(where.root);
  if (!store) {
    loader.add_unreadable(store.error());
    return std::move(loader).finish();
  }
  loader.result().directories = std::move(store->directories);
  for (policy::PolicyFile& file : store->files)
    if (file.state == policy::FileState::Used) loader.add(file.path, std::move(file.text));
  return std::move(loader).finish();
}

void add_no_policy(const Policies& policies, const Where& where, diag::Sink& sink) {
  auto& d = sink.add(diag::Code::NoPolicy, std::nullopt, "there is no policy");
  if (policies.directories.empty())
    d.notes.push_back(
        fmt::format("`{}` is a file, and hosts in files bring no policies", where.root));
  for (const std::string& directory : policies.directories)
    d.notes.push_back(fmt::format("looked in {}", directory));
  d.help = "name one with `--policy FILE`, or try `-e 'hotplugged: movable'`";
}

std::optional<model::Host> load_host(const Where& where, diag::Sink& sink) {
  auto host = runtime::read_host(where.root);
  if (host) return std::move(*host);
  const runtime::HostError& error = host.error();
  sink.add(diag::Code::HostUnreadable, std::nullopt,
           fmt::format("cannot read the host `{}`: {}",
                       error.path.empty() ? where.root : error.path, error.message));
  return std::nullopt;
}

void add_no_hotplug(const model::Host& host, diag::Sink& sink) {
  plan::make_plan(sema::Policy{}, {}, host, sink);
}

void plan_for_host(Compiled& compiled) {
  auto planned =
      plan::make_plan(*compiled.policy, compiled.policies.files, *compiled.host, compiled.sink);
  compiled.plan = std::move(planned.plan);
  if (!compiled.plan) compiled.status = ExitStatus::Failure;
}

Compiled compile_for(const Where& where) {
  Compiled compiled{load_policies(where), {}, {}, {}, {}, ExitStatus::Usage};
  compiled.sink.append(compiled.policies.problems);
  if (compiled.policies.none()) {
    // A root that is not there is what went wrong, not the want of policies in it.
    if (!exists(where.root)) {
      compiled.status = ExitStatus::Failure;
      load_host(where, compiled.sink);
      return compiled;
    }
    add_no_policy(compiled.policies, where, compiled.sink);
  }
  auto policy = sema::analyse(compiled.policies.files, compiled.sink);
  if (compiled.sink.has_errors() || !policy) return compiled;
  compiled.policy = std::move(policy);
  compiled.status = ExitStatus::Failure;
  compiled.host = load_host(where, compiled.sink);
  if (!compiled.host) return compiled;
  compiled.status = ExitStatus::Done;
  plan_for_host(compiled);
  return compiled;
}

ExitStatus report(const diag::Sink& sink, const source::SourceSet& shown, Format format,
                  ColorChoice color, ExitStatus status) {
  if (format == Format::Json) return print(diag::to_json(sink.sorted(), shown), status);
  print_error(diag::to_text(sink.sorted(), shown, {colour_errors(color)}));
  return status;
}

}  // namespace memonline::cli
