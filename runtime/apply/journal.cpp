// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/apply/journal.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "compiler/model/dax.hpp"
#include "compiler/model/knob.hpp"
#include "compiler/text/json_writer.hpp"
#include "runtime/host/text.hpp"

namespace memonline::apply {

namespace {

using model::BlockId;
using nlohmann::json;
using text::Layout;

BlocksBefore blocks_of(const json& value) {
  BlocksBefore blocks;
  blocks.first = BlockId(value.at("blocks").at(0).get<std::uint64_t>());
  blocks.last = BlockId(value.at("blocks").at(1).get<std::uint64_t>());
  blocks.online = value.at("online").get<bool>();
  if (!value.at("zone").is_null())
    blocks.zone = model::zone_named(value.at("zone").get<std::string>());
  if (!value.at("node").is_null())
    blocks.node = model::NodeId(value.at("node").get<std::uint32_t>());
  blocks.configured = value.value("configured", true);
  blocks.device = value.value("device", "");
  return blocks;
}

}  // namespace

std::string to_json(const Journal& journal) {
  text::JsonWriter out;
  out.begin_object()
      .member("schema", kJournalSchema)
      .member("run", journal.run)
      .member("boot", journal.boot)
      .member("command", journal.command)
      .member("plan", journal.plan)
      .member("to_confirm", journal.to_confirm)
      .member("block_size", journal.block_size);
  out.key("knobs").begin_array();
  for (const KnobBefore& knob : journal.knobs)
    out.begin_object(Layout::Line)
        .member("knob", model::knob_name(knob.knob))
        .member("before", knob.before)
        .member("during", knob.during)
        .member("stays", knob.stays)
        .member("held", knob.held)
        .end_object();
  out.end_array().key("blocks").begin_array();
  for (const BlocksBefore& blocks : journal.blocks) {
    out.begin_object(Layout::Line).key("blocks").begin_array(Layout::Line);
    out.value(blocks.first).value(blocks.last).end_array();
    out.member("online", blocks.online).key("zone");
    blocks.zone ? out.value(model::zone_name(*blocks.zone)) : out.null();
    out.member("node", blocks.node);
    if (!blocks.configured) out.member("configured", false);
    if (!blocks.device.empty()) out.member("device", blocks.device);
    out.end_object();
  }
  return std::move(out.end_array().end_object()).finish();
}

Result<Journal, std::string> journal_of(std::string_view text) {
  try {
    const json value = json::parse(text);
    if (value.at("schema").get<std::string>() != kJournalSchema)
      return fail("unsupported schema " + value.at("schema").get<std::string>());
    Journal journal;
    journal.run = value.at("run").get<std::string>();
    journal.boot = value.at("boot").get<std::string>();
    journal.command = value.at("command").get<std::string>();
    journal.plan = value.at("plan").get<std::string>();
    journal.to_confirm = value.at("to_confirm").get<bool>();
    journal.block_size = value.at("block_size").get<std::uint64_t>();
    for (const json& knob : value.at("knobs")) {
      const auto name = knob.at("knob").get<std::string>();
      const auto known = model::knob_named(name);
      if (!known) return fail("unknown kernel setting " + name);
      journal.knobs.push_back({*known, knob.at("before").get<std::string>(),
                               knob.at("during").get<std::string>(), knob.at("stays").get<bool>(),
                               knob.value("held", std::string())});
    }
    for (const json& blocks : value.at("blocks")) {
      journal.blocks.push_back(blocks_of(blocks));
      const std::string& device = journal.blocks.back().device;
      if (!device.empty() && !model::is_dax_name(device))
        return fail("not a dax device: " + runtime::ascii_only(device));
    }
    return journal;
  } catch (const json::exception& error) {
    return fail(std::string(error.what()));
  }
}

void merge_earlier(Journal& journal, const Journal& earlier) {
  for (const KnobBefore& knob : earlier.knobs) {
    const auto same = std::find_if(journal.knobs.begin(), journal.knobs.end(),
                                   [&](const KnobBefore& k) { return k.knob == knob.knob; });
    if (same == journal.knobs.end())
      journal.knobs.push_back(knob);
    else {
      same->before = knob.before;
      // It may still have the value that the earlier run set temporarily.
      if (same->stays && same->held.empty()) same->held = knob.for_the_run();
    }
  }
  std::vector<BlocksBefore> blocks = earlier.blocks;
  for (BlocksBefore rest : journal.blocks) {
    // Cuts out what the earlier one covers, from the lowest block up.
    for (const BlocksBefore& known : earlier.blocks) {
      if (known.last < rest.first || rest.last < known.first) continue;
      if (rest.first < known.first) {
        BlocksBefore below = rest;
        below.last = known.first - 1;
        blocks.push_back(below);
      }
      if (rest.last <= known.last) {
        rest.first = rest.last + 1;
        break;
      }
      rest.first = known.last + 1;
    }
    if (rest.first <= rest.last) blocks.push_back(rest);
  }
  std::sort(blocks.begin(), blocks.end(),
            [](const BlocksBefore& a, const BlocksBefore& b) { return a.first < b.first; });
  journal.blocks = std::move(blocks);
}

}  // namespace memonline::apply
