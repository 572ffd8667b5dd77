// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/render/explained.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "compiler/base/overloaded.hpp"
#include "compiler/model/dax.hpp"
#include "compiler/render/plan.hpp"
#include "compiler/text/similar.hpp"

namespace memonline::render {

namespace {

using model::BlockId;
using model::BlockRange;
using model::BlockRun;
using model::Host;

template <class Number>
std::optional<Number> number_of(std::string_view text, int base) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// "memory42", "memory32-39" and, as `status` prints it, "memory32..39".
std::optional<Asked> asked_blocks(std::string_view text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto first = number_of<std::uint64_t>(text.substr(0, digits), 10);
  if (!first) return std::nullopt;
  std::string_view rest = text.substr(digits);
  if (rest.empty()) return BlockId(*first);
  if (rest.starts_with("-"))
    rest.remove_prefix(1);
  else if (rest.starts_with(".."))
    rest.remove_prefix(2);
  else
    return std::nullopt;
  if (rest.starts_with("memory")) rest.remove_prefix(6);
  const auto last = number_of<std::uint64_t>(rest, 10);
  if (!last || *last < *first) return std::nullopt;
  return BlockRange{BlockId(*first), BlockId(*last)};
}

/// As devices are called: dimm0, dax0.0, virtio3; a driver without devices gives its own name.
bool could_be_device(std::string_view what) {
  if (what == "boot" || what == "standby" || what == "kmem" || what == "virtio_mem") return true;
  constexpr std::string_view kLetters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-";
  const bool letter =
      !what.empty() && ((what[0] >= 'a' && what[0] <= 'z') || (what[0] >= 'A' && what[0] <= 'Z'));
  return letter && what.find_first_not_of(kLetters) == std::string_view::npos &&
         what.find_first_of("0123456789") != std::string_view::npos;
}

auto missing(std::string message, std::string help) {
  return fail(Unexplained{Unexplained::Kind::NoSuchBlock, std::move(message), std::move(help)});
}

/// "available: dimm0, dimm1"; of many only the first.
std::string available(const std::vector<std::string>& names) {
  constexpr std::size_t kMax = 16;
  std::string text = "available: ";
  for (std::size_t i = 0; i < std::min(names.size(), kMax); ++i)
    text += (i == 0 ? "" : ", ") + names[i];
  return names.size() > kMax ? text + fmt::format(" and {} more", names.size() - kMax) : text;
}

template <class Predicate>
std::vector<Piece> pieces_where(const Host& host, Predicate wanted) {
  std::vector<Piece> pieces;
  for (const BlockRun& run : host.blocks)
    if (wanted(run)) pieces.push_back({run.first, run.count, &run});
  return pieces;
}

using Pieces = Result<std::vector<Piece>, Unexplained>;

// On s390x, standby memory has no blocks until it is configured.
std::optional<Unexplained> standby(const BlockRange& asked, const Host& host) {
  for (const BlockRange& range : host.standby) {
    const BlockId from = std::max(asked.first, range.first);
    const BlockId to = std::min(asked.last, range.last);
    if (from > to) continue;
    const std::string blocks = model::range_numbers({from, to});
    return Unexplained{
        Unexplained::Kind::NoSuchBlock,
        fmt::format("standby memory has no blocks until it is configured: {}",
                    model::range_name(BlockRange{from, to})),
        fmt::format("a rule that names `standby` configures what it onlines; `chmem -c -b {}` "
                    "configures it by hand",
                    blocks)};
  }
  return std::nullopt;
}

Pieces one_block(BlockId id, const Host& host) {
  const BlockRun* run = host.find_block(id);
  if (run == nullptr)
    if (const auto waits = standby({id, id}, host)) return fail(*waits);
  if (run == nullptr)
    return missing(fmt::format("no block {} on this host", model::block_name(id)),
                   "`memonline status` lists the blocks");
  return std::vector<Piece>{{id, 1, run}};
}

Pieces blocks_between(const BlockRange& asked, const Host& host) {
  std::vector<Piece> pieces;
  for (const BlockRun& run : host.blocks) {
    const BlockId first = std::max(run.first, asked.first);
    const BlockId last = std::min(run.last(), asked.last);
    if (first <= last) pieces.push_back({first, last - first + 1, &run});
  }
  if (pieces.empty())
    if (const auto waits = standby(asked, host)) return fail(*waits);
  if (pieces.empty())
    return missing(fmt::format("no blocks between memory{} and memory{} on this host", asked.first,
                               asked.last),
                   "`memonline status` lists the blocks");
  return pieces;
}

Pieces blocks_of_node(model::NodeId id, const Host& host) {
  // Blocks that several nodes share are listed under the lowest of them.
  auto pieces = pieces_where(host, [id](const BlockRun& run) { return run.node == id; });
  if (!pieces.empty() || host.find_node(id) != nullptr) return pieces;
  std::vector<std::string> names;
  for (const model::Node& node : host.nodes) names.push_back(fmt::format("node{}", node.id));
  return missing(fmt::format("no node{} on this host", id),
                 names.empty() ? "the host does not show its nodes" : available(names));
}

Pieces blocks_of_device(std::string_view name, const Host& host) {
  auto pieces = pieces_where(
      host, [&](const BlockRun& run) { return host.devices.at(run.device).name == name; });
  if (!pieces.empty()) return pieces;
  if (const model::DaxDevice* dax = model::find_dax(host, name)) {
    const std::string summary = model::dax_summary(host, *dax);
    return missing(
        fmt::format("{} has no memory blocks{}{}", name, summary.empty() ? "" : ": ", summary),
        model::not_system_ram(host, *dax).value_or("`memonline status` lists the blocks"));
  }
  std::vector<std::string> names;
  for (const model::Device& device : host.devices)
    if (std::find(names.begin(), names.end(), device.name) == names.end())
      names.push_back(device.name);
  // `Memory0` and `NODE1` are blocks and a node in upper case.
  std::string lower(name);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  const auto meant = lower == name ? std::nullopt : parse_asked(lower);
  const bool other = meant && !std::holds_alternative<AskedDevice>(*meant);
  const std::string_view near =
      other ? lower : most_similar(name, std::vector<std::string_view>(names.begin(), names.end()));
  return missing(fmt::format("no device `{}` with memory blocks on this host{}", name,
                             near.empty() ? "" : fmt::format("; did you mean `{}`?", near)),
                 available(names));
}

}  // namespace

std::optional<Asked> parse_asked(std::string_view what) {
  if (what.starts_with("memory"))
    if (const auto blocks = asked_blocks(what.substr(6))) return blocks;
  if (what.starts_with("0x") || what.starts_with("0X")) {
    const auto address = number_of<std::uint64_t>(what.substr(2), 16);
    if (!address) return std::nullopt;
    return AskedAddress{*address};
  }
  if (what.starts_with("memory")) return std::nullopt;
  if (what.starts_with("node"))
    if (const auto id = number_of<std::uint32_t>(what.substr(4), 10))
      return AskedNode{model::NodeId(*id)};
  if (could_be_device(what)) return AskedDevice{what};
  return std::nullopt;
}

Result<std::vector<Piece>, Unexplained> pieces_of(const Asked& asked, const model::Host& host) {
  if (host.block_size == model::Bytes(0))
    return missing("this host has no memory blocks", "`memonline status` shows the memory");
  return std::visit(
      overloaded{[&](BlockId id) { return one_block(id, host); },
                 [&](const AskedAddress& at) { return one_block(host.block_at(at.address), host); },
                 [&](const BlockRange& blocks) { return blocks_between(blocks, host); },
                 [&](const AskedNode& node) { return blocks_of_node(node.id, host); },
                 [&](const AskedDevice& device) { return blocks_of_device(device.name, host); }},
      asked);
}

std::optional<Unexplained> configured_by_plan(const Asked& asked, const Host& host,
                                              const plan::Plan& plan) {
  const auto is_asked = [&](const BlockRange& blocks, const std::string& device) {
    const auto has = [&](BlockId block) { return blocks.contains(block); };
    return std::visit(
        overloaded{[&](BlockId id) { return has(id); },
                   [&](const AskedAddress& at) { return has(host.block_at(at.address)); },
                   [&](const BlockRange& range) {
                     return range.first <= blocks.last && blocks.first <= range.last;
                   },
                   [](const AskedNode&) { return false; },
                   [&](const AskedDevice& one) { return one.name == device; }},
        asked);
  };
  const plan::Step* configures = nullptr;
  std::string device;
  for (const plan::Step& step : plan.steps) {
    if (const auto* config = std::get_if<plan::ConfigureBlocks>(&step.action)) {
      if (configures != nullptr || !config->configure) continue;
      if (!is_asked(config->blocks.range(), config->device)) continue;
      configures = &step;
      device = config->device;
    }
    const auto* online = std::get_if<plan::OnlineBlocks>(&step.action);
    if (online == nullptr || configures == nullptr || !is_asked(online->blocks.range(), device))
      continue;
    return Unexplained{
        Unexplained::Kind::NoSuchBlock,
        fmt::format("no blocks there yet: step {} of the plan ({}) adds them", configures->number,
                    step_text(*configures)),
        fmt::format("step {} onlines {} in {}", step.number,
                    model::range_name(online->blocks.range()), model::zone_name(online->zone))};
  }
  if (configures == nullptr) return std::nullopt;
  return Unexplained{Unexplained::Kind::NoSuchBlock,
                     fmt::format("no blocks there yet: step {} of the plan ({}) adds them",
                                 configures->number, step_text(*configures)),
                     "no step onlines them"};
}

}  // namespace memonline::render
