// SPDX-License-Identifier: LGPL-2.1-or-later
// memonline explain: a diagnostic code, or one block: what it is, which rule governs it, and what
// the plan does with it and why.
#include <utility>

#include "compiler/render/explanation.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cli/inputs.hpp"
#include "runtime/cli/output.hpp"

namespace memonline::cli {

namespace {

ExitStatus told(const Result<std::string, render::Unexplained>& text) {
  if (text) return print(*text);
  const render::Unexplained& why = text.error();
  return complain(
      why.kind == render::Unexplained::Kind::NoSuchBlock ? ExitStatus::Failure : ExitStatus::Usage,
      why.message, why.help);
}

}  // namespace

ExitStatus run(const ExplainOptions& options, ColorChoice color) {
  const render::Form form =
      options.format == Format::Json ? render::Form::Json : render::Form::Text;
  if (render::names_code(options.what)) return told(render::explain_code(options.what, form));
  if (auto why = render::unclear(options.what)) return told(fail(std::move(*why)));

  Compiled compiled = load_for(options.where);
  const auto give_up = [&](ExitStatus status) {
    return report(compiled.sink, compiled.policies.shown, options.format, color, status);
  };
  if (!compiled.host) return give_up(compiled.status);
  const auto without_plan = render::explain(options.what, *compiled.host, nullptr, form);
  if (!without_plan || !compiled.policy) return told(without_plan);
  plan_for_host(compiled);
  if (!compiled.plan) return give_up(ExitStatus::Failure);
  return told(render::explain(options.what, *compiled.host, &*compiled.plan, form));
}

}  // namespace memonline::cli
