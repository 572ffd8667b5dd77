// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/render/explanation.hpp"

#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "compiler/diag/render.hpp"
#include "compiler/plan/drift.hpp"
#include "compiler/render/json_writer.hpp"
#include "compiler/render/plan.hpp"

namespace memonline::render {

namespace {

using model::BlockId;
using model::Host;

std::optional<std::uint64_t> number_of(std::string_view text, int base) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// memoryN, or an address in hexadecimal.
struct Asked {
  std::optional<BlockId> block;
  std::optional<std::uint64_t> address;
};
std::optional<Asked> parse_asked(std::string_view what) {
  if (what.substr(0, 6) == "memory") {
    const auto id = number_of(what.substr(6), 10);
    if (!id) return std::nullopt;
    return Asked{BlockId(*id), {}};
  }
  if (what.substr(0, 2) == "0x" || what.substr(0, 2) == "0X") {
    const auto address = number_of(what.substr(2), 16);
    if (!address) return std::nullopt;
    return Asked{{}, address};
  }
  return std::nullopt;
}

/// Empty where a host without blocks has no block at the address.
std::optional<BlockId> asked_block(std::string_view what, const Host& host) {
  const auto asked = parse_asked(what);
  if (!asked || asked->block) return asked ? asked->block : std::nullopt;
  if (host.block_size.value() == 0) return std::nullopt;
  return BlockId(*asked->address / host.block_size.value());
}

/// What the plan says of one block: at most one of step and skipped is there.
struct Fate {
  const plan::Step* step = nullptr;
  const plan::Skipped* skipped = nullptr;
  [[nodiscard]] const plan::RuleRef* rule() const {
    if (step != nullptr) return &step->rule;
    return skipped != nullptr ? &skipped->rule : nullptr;
  }
};

Fate fate_of(const plan::Plan& plan, BlockId block) {
  Fate fate;
  for (const plan::Step& step : plan.steps)
    if (const plan::WriteRun* run = plan::blocks_of(step))
      if (run->low() <= block && block <= run->high()) fate.step = &step;
  if (fate.step != nullptr) return fate;
  for (const plan::Skipped& skipped : plan.skipped)
    if (skipped.first <= block && block <= skipped.last) fate.skipped = &skipped;
  return fate;
}

std::string now_text(const Host& host, const model::BlockRun& run) {
  std::string text(model::state_name(run.state));
  if (const auto zone = plan::zone_text(run))
    text += *zone == "none" ? " in several zones" : fmt::format(" in {}", *zone);
  if (run.node)
    text += fmt::format(", node {}{}", run.node->value(), run.several_nodes ? " and others" : "");
  return text + fmt::format(", {}", host.devices.at(run.device).name);
}

std::string rule_text(const plan::RuleRef& rule) {
  if (rule.path.empty()) return "none selects it";
  return fmt::format("`{}` ({}:{}:{})", rule.text, rule.path, rule.line, rule.column);
}

std::string to_text(const Host& host, const plan::Plan* plan, BlockId block,
                    const model::BlockRun& run) {
  const std::uint64_t size = host.block_size.value();
  std::string text =
      fmt::format("memory{}: {:#x}..{:#x}, {}\n", block.value(), block.value() * size,
                  block.value() * size + (size - 1), model::human(host.block_size));
  const auto line = [&](std::string_view name, std::string_view what) {
    text += fmt::format("  {:<6} {}\n", name, what);
  };
  line("now", now_text(host, run));
  if (plan == nullptr) {
    line("policy", "none");
    return text;
  }
  const Fate fate = fate_of(*plan, block);
  if (const plan::RuleRef* rule = fate.rule()) line("rule", rule_text(*rule));
  if (fate.step != nullptr) {
    std::string what = fmt::format("step {} of {}: {}", fate.step->number, plan->steps.size(),
                                   step_text(*fate.step));
    if (const auto* online = std::get_if<plan::OnlineBlocks>(&fate.step->action))
      what += fmt::format(", becomes {}", model::zone_name(online->zone));
    line("plan", what);
    line("order", fate.step->why);
  } else if (fate.skipped != nullptr) {
    line("wanted", fate.skipped->wanted);
    line("plan", fmt::format("stays as it is: {}", fate.skipped->reason));
  } else {
    line("plan", "stays as it is: no rule selects it");
  }
  return text;
}

void write_rule(JsonWriter& json, const plan::RuleRef* rule) {
  json.key("rule");
  if (rule == nullptr || rule->path.empty()) {
    json.null();
    return;
  }
  json.begin_object(Layout::Line)
      .member("path", rule->path)
      .member("line", rule->line)
      .member("column", rule->column)
      .member("text", rule->text)
      .end_object();
}

std::string to_json(const Host& host, const plan::Plan* plan, BlockId block,
                    const model::BlockRun& run) {
  JsonWriter json;
  json.begin_object().member("schema", "memonline.explanation/1");
  json.member("block", block.value());
  json.member("address", block.value() * host.block_size.value());
  json.member("size", host.block_size.value());
  json.member("state", model::state_name(run.state)).member("zone", plan::zone_text(run));
  json.key("node");
  if (run.node)
    json.value(run.node->value());
  else
    json.null();
  json.member("device", host.devices.at(run.device).name);
  const Fate fate = plan != nullptr ? fate_of(*plan, block) : Fate{};
  write_rule(json, fate.rule());
  if (fate.step != nullptr) {
    json.key("step").begin_object();
    json.member("number", fate.step->number).member("action", step_text(*fate.step));
    json.member("why", fate.step->why).end_object();
  }
  if (fate.skipped != nullptr) {
    json.key("skipped").begin_object();
    json.member("wanted", fate.skipped->wanted).member("reason", fate.skipped->reason);
    json.end_object();
  }
  json.end_object();
  return std::move(json).finish();
}

std::string code_text(diag::Code code, Form form) {
  const diag::CodeEntry& entry = diag::entry_of(code);
  if (form == Form::Text)
    return fmt::format("{} ({}): {}\n\n{}\n", diag::name_of(code),
                       diag::severity_name(entry.severity), entry.title, entry.paragraph);
  JsonWriter json;
  json.begin_object().member("schema", "memonline.explanation/1");
  json.member("code", diag::name_of(code));
  json.member("severity", diag::severity_name(entry.severity));
  json.member("title", entry.title).member("text", entry.paragraph).end_object();
  return std::move(json).finish();
}

}  // namespace

bool names_code(std::string_view what) {
  return what.size() >= 3 && (what[0] == 'M' || what[0] == 'm') &&
         (what[1] == 'L' || what[1] == 'l') && what[2] >= '0' && what[2] <= '9';
}

Result<std::string, Unexplained> explain_code(std::string_view what, Form form) {
  if (const auto code = diag::code_named(std::string(what))) return code_text(*code, form);
  return fail(Unexplained{Unexplained::Kind::NoSuchCode,
                          fmt::format("no diagnostic is called `{}`", what),
                          "codes are `ML` and four digits, as in `error[ML0201]`"});
}

std::optional<Unexplained> unclear(std::string_view what) {
  if (names_code(what) || parse_asked(what)) return std::nullopt;
  return Unexplained{Unexplained::Kind::Unclear, fmt::format("cannot explain `{}`", what),
                     "write `memory42`, an address as `0x150000000`, or a code as `ML0503`"};
}

Result<std::string, Unexplained> explain(std::string_view what, const Host& host,
                                         const plan::Plan* plan, Form form) {
  if (names_code(what)) return explain_code(what, form);
  if (auto why = unclear(what)) return fail(std::move(*why));
  const auto block = asked_block(what, host);
  const model::BlockRun* run = block ? host.find_block(*block) : nullptr;
  if (run == nullptr)
    return fail(
        Unexplained{Unexplained::Kind::NoSuchBlock,
                    block ? fmt::format("there is no block memory{} on this host", block->value())
                          : "this host has no memory blocks",
                    "`memonline status` shows which there are"});
  return form == Form::Json ? to_json(host, plan, *block, *run) : to_text(host, plan, *block, *run);
}

}  // namespace memonline::render
