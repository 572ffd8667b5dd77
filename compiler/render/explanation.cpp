// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/render/explanation.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "compiler/base/overloaded.hpp"
#include "compiler/diag/render.hpp"
#include "compiler/model/dax.hpp"
#include "compiler/plan/agents.hpp"
#include "compiler/plan/drift.hpp"
#include "compiler/plan/prospect.hpp"
#include "compiler/render/contents.hpp"
#include "compiler/render/explained.hpp"
#include "compiler/render/judgement_members.hpp"
#include "compiler/render/plan.hpp"
#include "compiler/text/json_writer.hpp"
#include "compiler/text/printable.hpp"

namespace memonline::render {

namespace {

using model::BlockId;
using model::Host;

/// The part of the plan on one block: at most one of step and skipped is set.
struct PlannedBlock {
  const plan::Step* step = nullptr;
  const plan::Skipped* skipped = nullptr;
  [[nodiscard]] const plan::RuleRef* rule() const {
    if (step != nullptr) return &step->rule;
    return skipped != nullptr ? &skipped->rule : nullptr;
  }
};

PlannedBlock planned_block(const plan::Plan& plan, BlockId block) {
  PlannedBlock planned;
  for (const plan::Step& step : plan.steps)
    if (const model::WriteRun* run = plan::blocks_of(step))
      if (run->range().contains(block)) planned.step = &step;
  if (planned.step != nullptr) return planned;
  for (const plan::Skipped& skipped : plan.skipped)
    if (skipped.blocks.contains(block)) planned.skipped = &skipped;
  return planned;
}

std::string now_text(const Host& host, const model::BlockRun& run) {
  std::string text(run.state == model::State::Unknown ? "in an unknown state"
                                                      : model::state_name(run.state));
  if (const auto zone = plan::zone_text(run))
    text += *zone == "none" ? " in several zones" : fmt::format(" in {}", *zone);
  else if (run.state == model::State::Online)
    text += " in an unknown zone";
  if (run.node)
    text += fmt::format(", node {}{}", *run.node, run.several_nodes ? " and others" : "");
  return text + fmt::format(", {}", host.devices.at(run.device).name);
}

std::string rule_text(const plan::RuleRef& rule) {
  if (rule.path.empty()) return "no rule selects it";
  return fmt::format("`{}` ({}:{}:{})", rule.text, rule.path, rule.line, rule.column);
}

/// "memory42", "memory32..39".
std::string range_text(const Piece& piece) { return model::range_name(piece.first, piece.last()); }

/// The name of the target of `Asked`, if it is more than one block.
struct Group {
  std::string_view kind;  ///< "node", "device" or "blocks"; empty: a single block
  std::string name;
};
Group group_of(const Asked& asked) {
  return std::visit(
      overloaded{[](BlockId) { return Group{}; }, [](const AskedAddress&) { return Group{}; },
                 [](const model::BlockRange& blocks) {
                   return Group{"blocks", model::range_name(blocks)};
                 },
                 [](const AskedNode& node) {
                   return Group{"node", fmt::format("node{}", node.id)};
                 },
                 [](const AskedDevice& device) {
                   return Group{"device", std::string(device.name)};
                 }},
      asked);
}

/// Cut so that the plan treats all blocks of a piece alike.
std::vector<Piece> cut(const std::vector<Piece>& pieces, const plan::Plan* plan) {
  if (plan == nullptr) return pieces;
  std::vector<BlockId> borders;
  for (const plan::Step& step : plan->steps)
    if (const model::WriteRun* run = plan::blocks_of(step)) {
      borders.push_back(run->low());
      borders.push_back(run->high() + 1);
    }
  for (const plan::Skipped& skipped : plan->skipped) {
    borders.push_back(skipped.blocks.first);
    borders.push_back(skipped.blocks.last + 1);
  }
  std::sort(borders.begin(), borders.end());
  borders.erase(std::unique(borders.begin(), borders.end()), borders.end());
  std::vector<Piece> parts;
  for (const Piece& piece : pieces) {
    BlockId first = piece.first;
    const BlockId end = piece.first + piece.count;
    for (auto border = std::upper_bound(borders.begin(), borders.end(), first);
         border != borders.end() && *border < end; ++border) {
      parts.push_back({first, *border - first, piece.run});
      first = *border;
    }
    parts.push_back({first, end - first, piece.run});
  }
  return parts;
}

std::uint64_t blocks_in(const std::vector<Piece>& pieces) {
  std::uint64_t count = 0;
  for (const Piece& piece : pieces) count += piece.count;
  return count;
}

std::string to_text(const Host& host, const plan::Plan* plan, const Piece& piece,
                    std::string_view without_plan) {
  std::string text = fmt::format(
      "{}: {:#x}..{:#x}, {}\n", range_text(piece), host.address_of(piece.first),
      host.address_of(piece.last() + 1) - 1, model::human(host.block_size * piece.count));
  const auto line = [&](std::string_view name, std::string_view what) {
    text += fmt::format("  {:<6} {}\n", name, what);
  };
  line("now", now_text(host, *piece.run));
  if (const auto* dax = model::find_dax(host, host.devices.at(piece.run->device).name))
    line("dax", model::dax_summary(host, *dax));
  if (const auto held = held_by(host, {piece.first, piece.last()})) {
    const plan::Prospect prospect = plan::prospect_of(host, *piece.run, held->contents);
    line("holds", held->blocks == piece.count
                      ? held_text(host, *held)
                      : fmt::format("{} (of {} of its {} blocks)", held_text(host, *held),
                                    held->blocks, piece.count));
    line("unplug", fmt::format("{}: {}", plan::chance_text(prospect.chance), prospect.why));
    std::string_view name = "used";
    for (const std::string& process : processes_text(host, {piece.first, piece.last()}))
      line(std::exchange(name, ""), process);
  } else if (const auto* unread = plan::contents_unread(host);
             unread != nullptr && piece.run->state == model::State::Online) {
    line("holds", fmt::format("unknown: {}: {}; root can read it", unread->path, unread->reason));
  }
  if (plan == nullptr) {
    line("plan", without_plan);
    return text;
  }
  const PlannedBlock planned = planned_block(*plan, piece.first);
  if (const plan::RuleRef* rule = planned.rule()) line("rule", rule_text(*rule));
  if (planned.step != nullptr) {
    std::string what = fmt::format("step {} of {}: {}", planned.step->number, plan->steps.size(),
                                   step_text(*planned.step));
    if (const auto* online = std::get_if<plan::OnlineBlocks>(&planned.step->action))
      what += fmt::format(", becomes {}", model::zone_name(online->zone));
    line("plan", what);
    line("order", planned.step->why);
  } else if (planned.skipped != nullptr) {
    line("wanted", planned.skipped->wanted);
    line("plan", fmt::format("stays as it is: {}", planned.skipped->reason));
  } else {
    line("plan", "stays as it is: no rule selects it");
  }
  return text;
}

std::string to_text(const Host& host, const plan::Plan* plan, const Group& group,
                    const std::vector<Piece>& pieces, std::string_view without_plan) {
  const std::uint64_t count = blocks_in(pieces);
  std::string text =
      count == 0 ? fmt::format("{}: no memory blocks\n", group.name)
                 : fmt::format("{}: {} block{}, {}\n", group.name, count, count == 1 ? "" : "s",
                               model::human(host.block_size * count));
  for (const Piece& piece : pieces) text += to_text(host, plan, piece, without_plan);
  return text;
}

/// A line for each gap: requested blocks that the host does not have.
std::string missing_text(const model::BlockRange& asked, const std::vector<Piece>& pieces) {
  std::string text;
  const auto gap = [&](BlockId first, BlockId end) {
    if (first < end)
      text += fmt::format("{}: not on this host\n", range_text({first, end - first, nullptr}));
  };
  BlockId next = asked.first;
  for (const Piece& piece : pieces) {
    gap(next, piece.first);
    next = piece.last() + 1;
  }
  gap(next, asked.last + 1);
  return text;
}

/// Other agents that may have onlined these blocks. Boot memory was online before any of them.
std::vector<plan::CompetingAgent> agents_for(const Host& host, const plan::Plan* plan,
                                             const std::vector<Piece>& pieces) {
  const bool boot_alone = std::all_of(pieces.begin(), pieces.end(), [&](const Piece& piece) {
    return host.devices.at(piece.run->device).origin == model::Origin::Boot;
  });
  if (boot_alone) return {};
  return plan != nullptr ? plan->agents : plan::competing_agents(host, nullptr);
}

void write_rule(text::JsonWriter& json, const plan::RuleRef* rule) {
  json.key("rule");
  if (rule == nullptr || rule->path.empty()) {
    json.null();
    return;
  }
  json.begin_object(text::Layout::Line)
      .member("path", rule->path)
      .member("line", rule->line)
      .member("column", rule->column)
      .member("text", rule->text)
      .end_object();
}

/// The members that a block and a range of blocks have in common.
void write_piece(text::JsonWriter& json, const Host& host, const plan::Plan* plan,
                 const Piece& piece) {
  json.member("address", host.address_of(piece.first));
  json.member("size", host.block_size * piece.count);
  json.member("state", model::state_name(piece.run->state));
  json.member("zone", plan::zone_text(*piece.run)).member("node", piece.run->node);
  json.member("device", host.devices.at(piece.run->device).name);
  if (const auto held = held_by(host, {piece.first, piece.last()}))
    write_held(json, host, *piece.run, *held);
  else if (const auto* unread = plan::contents_unread(host))
    json.key("contents").begin_object().member("unread", unread->reason).end_object();
  write_processes(json, host, {piece.first, piece.last()});
  const PlannedBlock planned = plan != nullptr ? planned_block(*plan, piece.first) : PlannedBlock{};
  write_rule(json, planned.rule());
  if (planned.step != nullptr) {
    json.key("step").begin_object();
    json.member("number", planned.step->number).member("action", step_text(*planned.step));
    json.member("why", planned.step->why).end_object();
  }
  if (planned.skipped != nullptr) {
    json.key("skipped").begin_object();
    json.member("wanted", planned.skipped->wanted).member("reason", planned.skipped->reason);
    json.end_object();
  }
}

std::string to_json(const Host& host, const plan::Plan* plan, const Group& group,
                    const std::vector<Piece>& pieces) {
  text::JsonWriter json;
  json.begin_object().member("schema", "memonline.explanation/1");
  if (group.kind.empty()) {
    json.member("block", pieces.front().first);
    write_piece(json, host, plan, pieces.front());
    write_agents(json, agents_for(host, plan, pieces));
    json.end_object();
    return std::move(json).finish();
  }
  const std::uint64_t count = blocks_in(pieces);
  json.member("kind", group.kind).member("name", group.name).member("blocks", count);
  json.member("size", host.block_size * count).key("ranges").begin_array();
  for (const Piece& piece : pieces) {
    json.begin_object().key("blocks").begin_array(text::Layout::Line);
    json.value(piece.first).value(piece.last()).end_array();
    write_piece(json, host, plan, piece);
    json.end_object();
  }
  json.end_array();
  write_agents(json, agents_for(host, plan, pieces));
  json.end_object();
  return std::move(json).finish();
}

std::string code_text(diag::Code code, Form form) {
  const diag::CodeEntry& entry = diag::entry_of(code);
  if (form == Form::Text)
    return fmt::format("{} ({}): {}\n\n{}\n", diag::name_of(code),
                       diag::severity_name(entry.severity), entry.title, entry.paragraph);
  text::JsonWriter json;
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
  // A zero too few: `ML503`.
  std::string near;
  if (what.size() < 6) {
    const auto padded = fmt::format("ML{:0>4}", what.substr(2));
    if (diag::code_named(padded)) near = fmt::format("; did you mean `{}`?", padded);
  }
  return fail(Unexplained{Unexplained::Kind::NoSuchCode,
                          fmt::format("unknown diagnostic code `{}`{}", printable(what), near),
                          "codes are `ML` and four digits, as in `error[ML0201]`"});
}

std::optional<Unexplained> unclear(std::string_view what) {
  if (names_code(what) || parse_asked(what)) return std::nullopt;
  return Unexplained{
      Unexplained::Kind::Unclear, fmt::format("cannot explain `{}`", printable(what)),
      "expected blocks (`memory42`, `memory32-39`), a node (`node1`), a device (`dimm1`, "
      "`dax0.0`), an address (`0x150000000`) or a code (`ML0503`)"};
}

Result<std::string, Unexplained> explain(std::string_view what, const model::Host& host,
                                         const plan::Plan* plan, Form form,
                                         std::string_view without_plan) {
  if (names_code(what)) return explain_code(what, form);
  const auto asked = parse_asked(what);
  if (!asked) return fail(*unclear(what));
  auto pieces = pieces_of(*asked, host);
  if (!pieces && plan != nullptr)
    if (const auto later = configured_by_plan(*asked, host, *plan)) return fail(*later);
  if (!pieces) return fail(std::move(pieces.error()));
  const Group group = group_of(*asked);
  const std::vector<Piece> parts = cut(*pieces, plan);
  if (form == Form::Json) return to_json(host, plan, group, parts);
  const std::string agents = agents_to_text(agents_for(host, plan, parts));
  if (group.kind.empty()) return to_text(host, plan, parts.front(), without_plan) + agents;
  std::string text = to_text(host, plan, group, parts, without_plan);
  if (const auto* blocks = std::get_if<model::BlockRange>(&*asked))
    text += missing_text(*blocks, parts);
  return text + agents;
}

std::vector<model::BlockRange> blocks_named(std::string_view what, const Host& host) {
  std::vector<model::BlockRange> blocks;
  const auto asked = parse_asked(what);
  const auto pieces = asked ? pieces_of(*asked, host) : fail(Unexplained{});
  if (pieces)
    for (const Piece& piece : *pieces) blocks.push_back({piece.first, piece.last()});
  return blocks;
}

}  // namespace memonline::render
