// SPDX-License-Identifier: LGPL-2.1-or-later
// memonline explain: diagnostic codes, and blocks, nodes and devices: what they are, which rule
// governs them, and what the plan does with them and why.
#include <algorithm>
#include <utility>

#include "compiler/diag/render.hpp"
#include "compiler/render/explanation.hpp"
#include "compiler/text/json_writer.hpp"
#include "runtime/cli/command_options.hpp"
#include "runtime/cli/diagnostics_member.hpp"
#include "runtime/cli/inputs.hpp"
#include "runtime/cli/output.hpp"

namespace memonline::cli {

namespace {

struct ExplainOptions {
  Where where;
  Format format = Format::Text;
  runtime::Processes processes = runtime::Processes::Pinning;
  std::vector<std::string> what;
};

using render::Unexplained;

constexpr std::string_view kUnknown = "unknown: the policy has an error, or cannot be planned here";

ExitStatus unexplained(const Unexplained& why, Format format) {
  return complain_as(
      format, why.kind == Unexplained::Kind::NoSuchBlock ? ExitStatus::Failure : ExitStatus::Usage,
      why.message, why.help);
}

std::string as_text(const std::vector<std::string>& explanations) {
  std::string text;
  for (const std::string& one : explanations) text += (text.empty() ? "" : "\n") + one;
  return text;
}

/// One explanation is a document; several are one document that lists them, and so is one with
/// diagnostics, which say why a rule or a plan may be missing in it.
std::string as_json(const std::vector<std::string>& explanations, const Compiled& compiled) {
  if (explanations.size() == 1 && !compiled.sink.has_errors()) return explanations.front();
  text::JsonWriter json;
  json.begin_object().member("schema", "memonline.explanations/1");
  json.key("explanations").begin_array();
  for (const std::string& one : explanations) json.embed(one);
  json.end_array();
  if (compiled.sink.has_errors()) write_diagnostics(json, compiled.sink, compiled.policies.shown);
  json.end_object();
  return std::move(json).finish();
}

bool all_codes(const std::vector<std::string>& all) {
  return std::all_of(all.begin(), all.end(),
                     [](const std::string& what) { return render::names_code(what); });
}

ExitStatus run(const ExplainOptions& options, ColorChoice color) {
  const render::Form form =
      options.format == Format::Json ? render::Form::Json : render::Form::Text;
  for (const std::string& what : options.what)
    if (const auto why = render::unclear(what)) return unexplained(*why, options.format);

  // Codes need no host.
  Compiled compiled;
  if (!all_codes(options.what)) {
    compiled = load_for(options.where, OnPolicyErrors::ReadHost);
    if (!compiled.host)
      return report(compiled.sink, compiled.policies.shown, options.format, color, compiled.status);
    std::vector<model::BlockRange> blocks;
    for (const std::string& what : options.what)
      for (const model::BlockRange& range : render::blocks_named(what, *compiled.host))
        blocks.push_back(range);
    read_contents_of(options.where, model::BlockSet(blocks).ranges(), options.processes,
                     *compiled.host);
    if (compiled.policy) plan_for_host(compiled);
  }
  std::vector<std::string> explanations;
  for (const std::string& what : options.what) {
    const auto text =
        render::names_code(what)
            ? render::explain_code(what, form)
            : render::explain(what, *compiled.host, compiled.plan ? &*compiled.plan : nullptr, form,
                              compiled.sink.has_errors() ? kUnknown : "none");
    if (!text) return unexplained(text.error(), options.format);
    explanations.push_back(*text);
  }
  ExitStatus status = ExitStatus::Done;
  if (compiled.sink.has_errors())
    status = compiled.policy ? ExitStatus::Failure : ExitStatus::Usage;
  if (form == render::Form::Json) return print(as_json(explanations, compiled), status);
  const ExitStatus printed = print(as_text(explanations), status);
  // The state of memory does not depend on the policy; only the rule and the plan are missing.
  if (compiled.sink.has_errors())
    print_error("\n" + diag::to_text(compiled.sink.sorted(), compiled.policies.shown,
                                     {color_errors(color)}));
  return printed;
}

CommandResult run_given(const Given& given, ColorChoice color) {
  const auto where = where_of(given, true);
  // Codes need no host, and so no root.
  if (!where && !all_codes(given.operands())) return fail(where.error());
  const auto form = form_of(given, {Format::Text, Format::Json});
  if (!form) return fail(form.error());
  const auto processes =
      given.has("processes") ? runtime::Processes::All : runtime::Processes::Pinning;
  return run({where ? *where : Where(), form->output, processes, given.operands()}, color);
}

constexpr std::string_view kExamples = R"(Examples:
  memonline explain memory42                  a block: its rule, its zone, its step in the plan
  memonline explain 0x150000000               the block that holds this physical address
  memonline explain memory32-39 node1 dimm1   the block ranges of each
  memonline explain memory42 --processes      as root: its contents, and the processes using it
  memonline explain ML0503                    a diagnostic code

Exit status: 0; 1 no such block, node or device; 2 invalid usage or policy.)";

}  // namespace

Command explain_command() {
  std::vector<Option> options;
  add_where(options);
  add_formats(options, {Format::Text, Format::Json});
  options.push_back({.names = {"processes"},
                     .help = "Also list the processes with the most pages there (root only)"});
  options.push_back(direct_option());
  return {.name = "explain",
          .summary = "Explain the state of memory blocks, or what a diagnostic code means",
          .operand =
              Operand{.name = "WHAT",
                      .help = "memory42, memory32-39, node1, a device (dimm1, dax0.0), a physical "
                              "address (0x150000000), or a code (ML0503)",
                      .required = true,
                      .repeats = true,
                      .offers = options::Offers::Explainable},
          .options = with_common(std::move(options)),
          .run = &run_given,
          .examples = kExamples};
}

}  // namespace memonline::cli
