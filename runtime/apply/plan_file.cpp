// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads in the order of the document, then compares its parts with each other.
#include "runtime/apply/plan_file.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "compiler/model/facts.hpp"
#include "compiler/plan/agents.hpp"
#include "compiler/plan/verdict.hpp"
#include "runtime/apply/plan_reader.hpp"
#include "runtime/base/digest.hpp"
#include "runtime/host/text.hpp"

namespace memonline::apply {

using diag::Code;
using model::Facts;

namespace {

plan::HostRef read_host_ref(PlanReader& in, const Json& document) {
  return in.member(document, "host", [&](const Json& host) {
    plan::HostRef result;
    result.kernel = in.text(host, "kernel");
    result.era = in.text(host, "era");
    result.arch = in.text(host, "arch");
    result.block_size = in.number(host, "block_size");
    result.fingerprint = in.text(host, "fingerprint");
    result.facts = in.texts(host, "facts");
    return result;
  });
}

// The facts match the fingerprint, and the other members of `host` match the facts.
Facts read_facts(PlanReader& in, const plan::HostRef& host) {
  in.point_at("host");
  in.point_at("facts");
  std::string text;
  for (const std::string& line : host.facts) text += line + '\n';
  if (runtime::sha256_of(text) != host.fingerprint)
    refuse(Code::PlanBadFacts, "the facts of the host do not match its fingerprint", kPlanAgain);
  auto facts = model::parse_facts(host.facts);
  if (!facts)
    refuse(Code::PlanBadFacts,
           fmt::format("the facts of the host have an unknown line, or lack one: `{}`",
                       runtime::ascii_only(facts.error())),
           kPlanAgain);
  const auto same = [&](const char* name, const auto& beside, const auto& inside) {
    if (beside != inside)
      refuse(Code::PlanBadFacts,
             fmt::format("`host.{}` is `{}`, but the facts say `{}`", name, beside, inside),
             kPlanAgain);
  };
  same("block_size", host.block_size, facts->block_size);
  same("era", host.era, model::era_name(facts->era));
  same("arch", host.arch, facts->arch);
  return std::move(*facts);
}

std::map<std::string, std::uint64_t> read_bytes(PlanReader& in, const Json& object,
                                                const char* name) {
  std::map<std::string, std::uint64_t> bytes;
  in.each_member(object, name, [&](const std::string& zone, const Json& value) {
    bytes[zone] = in.as_number(value);
  });
  return bytes;
}

plan::Boot read_boot(PlanReader& in, const Json& document) {
  return in.member(document, "boot", [&](const Json& boot) {
    plan::Boot result;
    result.parameters = in.texts(boot, "parameters");
    result.set = in.texts(boot, "set");
    result.remove = in.texts(boot, "remove");
    result.reboot_required = in.truth(boot, "reboot_required");
    in.each(boot, "nodes", [&](const Json& node) {
      result.nodes.push_back({model::NodeId(in.small_number(node, "node")),
                              read_bytes(in, node, "wished"), read_bytes(in, node, "predicted")});
    });
    return result;
  });
}

plan::HotplugPart read_hotplug(PlanReader& in, const Json& document) {
  return in.member(document, "hotplug", [&](const Json& hotplug) {
    plan::HotplugPart result;
    result.by = plan::onliner_named(in.word(hotplug, "by", {"kernel", "service", "corrected"}))
                    .value_or(plan::Onliner::Kernel);
    in.each_member(hotplug, "knobs", [&](const std::string& name, const Json& value) {
      result.knobs[settable_knob(in, name)] = in.as_text(value);
    });
    result.why = in.text(hotplug, "why");
    result.rule = read_rule(in, hotplug);
    return result;
  });
}

plan::NodeOutcome read_outcome(PlanReader& in, const Json& object) {
  plan::NodeOutcome outcome;
  outcome.node = read_node(in, object);
  in.member(object, "bytes", [&](const Json& bytes) {
    outcome.normal = model::Bytes(in.number(bytes, "Normal"));
    outcome.movable = model::Bytes(in.number(bytes, "Movable"));
    outcome.offline = model::Bytes(in.number(bytes, "offline"));
    if (bytes.contains("unknown")) outcome.unknown = model::Bytes(in.number(bytes, "unknown"));
    return true;
  });
  outcome.zones = read_bytes(in, object, "zones");
  if (object.contains("uncertain"))
    outcome.uncertain = model::Bytes(in.number(object, "uncertain"));
  return outcome;
}

plan::Skipped read_skipped(PlanReader& in, const Json& object) {
  const model::WriteRun blocks = read_blocks(in, object);
  return {{blocks.first, blocks.last},
          read_node(in, object),
          in.text(object, "wanted"),
          in.text(object, "reason"),
          read_rule(in, object),
          object.contains("unknown") ? in.text(object, "unknown") : std::string()};
}

plan::PlanDiagnostic read_diagnostic(PlanReader& in, const Json& object) {
  plan::PlanDiagnostic result;
  result.code = in.text(object, "code");
  result.severity = diag::severity_named(in.word(object, "severity", {"error", "warning", "note"}))
                        .value_or(diag::Severity::Error);
  result.message = in.text(object, "message");
  result.help = in.text(object, "help");
  if (!object.contains("path")) return result;  // about the host, not about a policy
  result.path = in.text(object, "path");
  result.line = in.small_number(object, "line");
  result.column = in.small_number(object, "column");
  return result;
}

template <class Enum>
Enum value_named(const std::string& name, std::string_view (*name_of)(Enum), Enum last) {
  for (auto value = Enum{}; value != last; value = static_cast<Enum>(static_cast<int>(value) + 1))
    if (name_of(value) == name) return value;
  return last;
}

plan::Remaining read_remaining(PlanReader& in, const Json& object) {
  plan::Remaining one;
  one.kind = value_named(in.word(object, "kind", {"memory", "limit", "boot", "hotplug", "unknown"}),
                         &plan::remaining_kind_name, plan::Remaining::Kind::Unknown);
  in.each(object, "ranges", [&](const Json& range) {
    if (!range.is_array() || range.size() != 2) in.wrong_type(range, "a first and a last block");
    one.blocks.push_back(
        {model::BlockId(in.as_number(range[0])), model::BlockId(in.as_number(range[1]))});
  });
  one.bytes = model::Bytes(in.number(object, "bytes"));
  one.wanted = in.text(object, "wanted");
  one.why = in.text(object, "why");
  one.needs = in.text(object, "needs");
  one.help = in.text(object, "help");
  if (!object.contains("path")) return one;
  one.rule = {in.text(object, "path"),
              in.small_number(object, "line"),
              in.small_number(object, "column"),
              {}};
  return one;
}

plan::CompetingAgent read_agent(PlanReader& in, const Json& object) {
  plan::CompetingAgent agent;
  agent.kind =
      value_named(in.word(object, "kind",
                          {"udev-rule", "udev-program", "kernel-setting", "kernel-parameter",
                           "kernel-default", "daxctl", "dax-state", "ignored-parameter"}),
                  &plan::agent_kind_name, plan::CompetingAgent::Kind::IgnoredParameter);
  agent.path = in.text(object, "path");
  agent.line = in.small_number(object, "line");
  agent.column = in.small_number(object, "column");
  agent.text = in.text(object, "text");
  agent.does = in.text(object, "does");
  agent.remedy = in.text(object, "remedy");
  agent.certain = in.truth(object, "certain");
  agent.settled = in.truth(object, "settled");
  return agent;
}

// Plans of earlier versions lack these members; `apply` judges the host again.
void read_judgement(PlanReader& in, const Json& document, plan::Plan& plan) {
  if (!document.contains("verdict")) return;
  plan.judgement.verdict = value_named(
      in.word(document, "verdict",
              {"nothing-judged", "drift", "reboot-pending", "partly-judged", "as-desired"}),
      &plan::verdict_name, plan::Verdict::AsDesired);
  in.each(document, "remaining",
          [&](const Json& one) { plan.judgement.remaining.push_back(read_remaining(in, one)); });
  in.each(document, "agents", [&](const Json& one) { plan.agents.push_back(read_agent(in, one)); });
}

void check_schema(PlanReader& in, const Json& document, std::string_view label) {
  const auto schema = document.is_object() ? document.find("schema") : document.end();
  if (!document.is_object() || schema == document.end() || !schema->is_string())
    refuse(Code::PlanWrongSchema, fmt::format("`{}` is JSON, but not a plan", label), kPlanAgain);
  in.point_at("schema");
  if (const auto name = schema->get<std::string>(); name != plan::kPlanSchema)
    refuse(Code::PlanWrongSchema,
           fmt::format("unsupported schema `{}`: expected `{}`", runtime::ascii_only(name),
                       plan::kPlanSchema),
           kPlanAgain);
  in.leave();
}

plan::Plan plan_of(PlanReader& in, const Json& document, std::string_view label) {
  check_schema(in, document, label);
  plan::Plan plan;
  plan.host = read_host_ref(in, document);
  in.each(document, "policy", [&](const Json& file) {
    plan.policy.push_back({in.text(file, "path"), in.text(file, "sha256")});
  });
  plan.steps = read_steps(in, document);
  plan.boot = read_boot(in, document);
  plan.hotplug = read_hotplug(in, document);
  in.each(document, "outcome",
          [&](const Json& node) { plan.outcome.push_back(read_outcome(in, node)); });
  in.each(document, "skipped",
          [&](const Json& one) { plan.skipped.push_back(read_skipped(in, one)); });
  read_judgement(in, document, plan);
  if (document.contains("afterwards")) plan.afterwards = in.texts(document, "afterwards");
  in.each(document, "diagnostics",
          [&](const Json& one) { plan.diagnostics.push_back(read_diagnostic(in, one)); });
  const Facts facts = read_facts(in, plan.host);
  in.leave();
  in.leave();
  check_blocks(in, plan, facts);
  return plan;
}

// JSON takes many times its size in memory: documents that are too large are never built.
Json parse_bounded(std::string_view json) {
  std::size_t values = 0;
  const auto within = [&](int depth, Json::parse_event_t event, Json&) {
    if (depth > kMaxPlanDepth)
      refuse(Code::PlanTooLarge,
             fmt::format("the document is nested more than {} levels deep", kMaxPlanDepth),
             kPlanAgain);
    const bool ends =
        event == Json::parse_event_t::object_end || event == Json::parse_event_t::array_end;
    if (!ends && ++values > kMaxPlanValues)
      refuse(Code::PlanTooLarge,
             fmt::format("the document has more than {} values and names", kMaxPlanValues),
             kPlanAgain);
    return true;
  };
  return Json::parse(json.begin(), json.end(), within);
}

diag::Diagnostic diagnostic(Code code, std::string message, std::string help,
                            std::optional<source::SourceSpan> span) {
  return {code, diag::entry_of(code).severity, std::move(message), span, {}, {}, std::move(help),
          {}};
}

source::SourceSpan span_of(std::size_t begin, std::size_t end) {
  return {0, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
}

}  // namespace

Result<plan::Plan, diag::Diagnostic> read_plan(std::string_view json, std::string_view label) {
  const std::string name = runtime::ascii_only(label);
  if (json.size() > kMaxPlanSize)
    return fail(diagnostic(Code::PlanTooLarge,
                           fmt::format("`{}` is too large: a plan has at most 16 MiB", name), {},
                           std::nullopt));
  PlanReader reader;
  try {
    return plan_of(reader, parse_bounded(json), name);
  } catch (const Wrong& wrong) {
    const JsonPlace place = place_of(json, reader.path());
    return fail(diagnostic(wrong.code, wrong.message, wrong.help, span_of(place.begin, place.end)));
  } catch (const Json::out_of_range&) {
    return fail(diagnostic(Code::PlanNotJson,
                           fmt::format("`{}` is not valid JSON: a number is out of range", name),
                           kPlanAgain, std::nullopt));
  } catch (const Json::parse_error& error) {
    const std::size_t at = std::min(json.size(), error.byte == 0 ? 0 : error.byte - 1);
    const bool ends = at == json.size();
    return fail(diagnostic(
        Code::PlanNotJson,
        fmt::format("`{}` is not valid JSON{}", name, ends ? ": unexpected end" : " from here on"),
        kPlanAgain, span_of(at, at)));
  }
}

}  // namespace memonline::apply
