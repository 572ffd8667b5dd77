// SPDX-License-Identifier: LGPL-2.1-or-later
// The steps of a plan in a file: only actions, words, zones and knobs that exist.
#include <array>
#include <limits>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "compiler/model/dax.hpp"
#include "compiler/model/knob.hpp"
#include "runtime/apply/plan_reader.hpp"
#include "runtime/host/text.hpp"

namespace memonline::apply {

using model::OnlineWord;

namespace {

constexpr std::array<OnlineWord, 3> kWords{OnlineWord::Online, OnlineWord::OnlineKernel,
                                           OnlineWord::OnlineMovable};

OnlineWord read_word(PlanReader& in, const Json& step) {
  const std::string text = in.word(step, "state", {"online", "online_kernel", "online_movable"});
  for (const OnlineWord word : kWords)
    if (model::online_word(word) == text) return word;
  return OnlineWord::Online;
}

model::Zone read_zone(PlanReader& in, const Json& step) {
  const std::string text = in.word(step, "zone", {"DMA", "DMA32", "Normal", "HighMem", "Movable"});
  return model::zone_named(text).value_or(model::Zone::Normal);
}

/// The zone that blocks are taken from; null: the planner did not know it.
std::optional<model::Zone> read_zone_if_known(PlanReader& in, const Json& step) {
  if (step.contains("zone") && step.at("zone").is_null()) return std::nullopt;
  return read_zone(in, step);
}

plan::SetKnob read_set_knob(PlanReader& in, const Json& step) {
  plan::SetKnob set;
  set.knob = in.member(step, "knob",
                       [&](const Json& name) { return settable_knob(in, in.as_text(name)); });
  set.value = in.member(step, "value", [&](const Json& value) {
    std::string text = in.as_text(value);
    const auto known = model::knob_values(set.knob);
    if (!known.empty()) {
      if (std::find(known.begin(), known.end(), text) == known.end()) in.unknown_word(text, known);
    } else if (const auto ratio = runtime::decimal(text);
               !ratio || *ratio > std::numeric_limits<std::uint32_t>::max()) {
      refuse(diag::Code::PlanUnknownWord,
             fmt::format("`{}` is `{}`, not a percentage", in.here(), runtime::ascii_only(text)));
    }
    return text;
  });
  set.before = in.text(step, "before");
  if (step.contains("scope")) {
    in.word(step, "scope", {"run"});
    set.scope = plan::KnobScope::Run;
  }
  return set;
}

// The zone that a word results in; plain `online` may result in any.
void check_zone(PlanReader& in, std::uint32_t number, const plan::OnlineBlocks& online) {
  const bool kernel = model::is_kernel_zone(online.zone);
  if (online.word == OnlineWord::Online || (online.word == OnlineWord::OnlineKernel) == kernel)
    return;
  in.point_at("zone");
  refuse(diag::Code::PlanBadSteps,
         fmt::format("step {} writes `{}`, which never results in the predicted {}", number,
                     model::online_word(online.word), model::zone_name(online.zone)));
}

plan::ConfigureBlocks read_bind(PlanReader& in, const Json& step) {
  plan::ConfigureBlocks bind{read_blocks(in, step), read_node(in, step), true, std::nullopt,
                             in.text(step, "device")};
  if (!model::is_dax_name(bind.device)) {
    in.point_at("device");
    refuse(diag::Code::PlanUnknownWord,
           fmt::format("`{}` is `{}`, not a dax device such as `dax0.0`", in.here(),
                       runtime::ascii_only(bind.device)));
  }
  in.word(step, "before", {"unbound"});
  return bind;
}

// A dax device is unbound from kmem, or a DIMM ejected.
plan::ConfigureBlocks read_release(PlanReader& in, const Json& step, std::string_view action) {
  plan::ConfigureBlocks release{read_blocks(in, step), read_node(in, step), false, std::nullopt,
                                in.text(step, "device")};
  const bool dax = action == "unbind";
  if (dax ? !model::is_dax_name(release.device) : !model::dimm_number(release.device)) {
    in.point_at("device");
    refuse(diag::Code::PlanUnknownWord,
           fmt::format("`{}` is `{}`, not a {} such as `{}`", in.here(),
                       runtime::ascii_only(release.device), dax ? "dax device" : "DIMM",
                       dax ? "dax0.0" : "dimm1"));
  }
  in.word(step, "before", {"offline"});
  return release;
}

plan::ConfigureBlocks read_configure(PlanReader& in, const Json& step, bool configure) {
  plan::ConfigureBlocks config{read_blocks(in, step), read_node(in, step), configure};
  in.word(step, "before", {configure ? "standby" : "offline"});
  if (configure && step.contains("memmap_on_memory"))
    config.own_map = in.truth(step, "memmap_on_memory");
  return config;
}

plan::Action read_action(PlanReader& in, const Json& step, std::uint32_t number) {
  const std::string action =
      in.word(step, "action",
              {"set", "online", "offline", "configure", "deconfigure", "bind", "unbind", "eject",
               "probe", "reclaim", "boot-parameters"});
  if (action == "set") return read_set_knob(in, step);
  if (action == "online") {
    plan::OnlineBlocks online{read_word(in, step), read_blocks(in, step), read_node(in, step),
                              read_zone(in, step)};
    in.word(step, "before", {"offline"});
    check_zone(in, number, online);
    return online;
  }
  if (action == "offline") {
    in.word(step, "state", {"offline"});
    in.word(step, "before", {"online"});
    plan::OfflineBlocks offline{read_blocks(in, step), read_node(in, step),
                                read_zone_if_known(in, step)};
    if (step.contains("all_or_nothing")) offline.all_or_nothing = in.truth(step, "all_or_nothing");
    if (step.contains("chance"))
      offline.chance = plan::chance_named(in.word(step, "chance", {"likely", "maybe", "unlikely"}));
    if (step.contains("moves")) offline.moves = model::Bytes(in.number(step, "moves"));
    return offline;
  }
  if (action == "bind") return read_bind(in, step);
  if (action == "unbind" || action == "eject") return read_release(in, step, action);
  if (action == "configure" || action == "deconfigure")
    return read_configure(in, step, action == "configure");
  if (action == "probe")
    return in.member(step, "address", [&](const Json& value) {
      const std::string text = in.as_text(value);
      const auto address = runtime::hexadecimal(text);
      if (!address || !text.starts_with("0x"))
        refuse(diag::Code::PlanUnknownWord,
               fmt::format("`{}` is `{}`, not an address such as `0x8000000`", in.here(),
                           runtime::ascii_only(text)));
      return plan::Action{plan::ProbeBlock{*address}};
    });
  if (action == "reclaim") {
    const std::string what = in.word(step, "what", {"page-cache", "slab", "compact"});
    return plan::ReclaimMemory{plan::reclaim_named(what).value_or(plan::Reclaim::PageCache)};
  }
  plan::SetParameters parameters;
  parameters.set = in.texts(step, "set");
  parameters.remove = in.texts(step, "remove");
  return parameters;
}

}  // namespace

std::vector<plan::Step> read_steps(PlanReader& in, const Json& document) {
  std::vector<plan::Step> steps;
  std::set<plan::Reclaim> reclaimed;
  in.each(document, "steps", [&](const Json& value) {
    plan::Step step;
    step.number = in.small_number(value, "number");
    if (step.number != steps.size() + 1) {
      in.point_at("number");
      refuse(diag::Code::PlanBadSteps,
             fmt::format("the {} step has the number {}, not {}", steps.empty() ? "first" : "next",
                         step.number, steps.size() + 1));
    }
    step.action = read_action(in, value, step.number);
    if (const auto* reclaim = std::get_if<plan::ReclaimMemory>(&step.action);
        reclaim != nullptr && !reclaimed.insert(reclaim->what).second) {
      in.point_at("what");
      refuse(diag::Code::PlanBadSteps, fmt::format("step {} repeats `{}`: expected at most once",
                                                   step.number, plan::reclaim_text(reclaim->what)));
    }
    step.rule = read_rule(in, value);
    step.why = in.text(value, "why");
    steps.push_back(std::move(step));
  });
  return steps;
}

}  // namespace memonline::apply
