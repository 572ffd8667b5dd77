// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/library/memonline.hpp"

#include <exception>
#include <utility>

#include "compiler/compile.hpp"
#include "compiler/diag/render.hpp"
#include "compiler/render/plan.hpp"
#include "compiler/syntax/format.hpp"
#include "runtime/base/digest.hpp"
#include "runtime/host/read_host.hpp"

namespace memonline::lib {

namespace {

source::SourceSet sources_of(std::string_view name, std::string_view policy) {
  source::SourceSet files;
  std::string text(policy);
  std::string digest = runtime::sha256_of(text);
  files.emplace_back(std::string(name), std::move(text), std::move(digest));
  return files;
}

}  // namespace

std::string_view version() { return MEMONLINE_VERSION; }

Answer check(std::string_view name, std::string_view policy) {
  const source::SourceSet files = sources_of(name, policy);
  diag::Sink sink;
  const bool right = sema::analyse(files, sink) && !sink.has_errors();
  return {right, {}, diag::to_json(sink.sorted(), files)};
}

Answer plan(std::string_view name, std::string_view policy, std::string_view host) {
  const source::SourceSet files = sources_of(name, policy);
  const auto read = runtime::read_host_text(host);
  if (!read) {
    diag::Sink sink;
    sink.add(diag::Code::HostUnreadable, std::nullopt,
             "cannot read the host: " + read.error().message);
    return {false, {}, diag::to_json(sink.sorted(), files)};
  }
  const Compilation compilation = compile(files, *read);
  Answer answer{
      compilation.plan.has_value(), {}, diag::to_json(compilation.diagnostics.sorted(), files)};
  if (compilation.plan) answer.document = render::plan_to_json(*compilation.plan);
  return answer;
}

Answer format(std::string_view name, std::string_view policy) {
  const source::SourceSet files = sources_of(name, policy);
  diag::Sink sink;
  auto text = syntax::format(files.front(), sink);
  return {text.has_value(), std::move(text).value_or(std::string()),
          diag::to_json(sink.sorted(), files)};
}

}  // namespace memonline::lib
