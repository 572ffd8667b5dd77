// SPDX-License-Identifier: LGPL-2.1-or-later
// The writer of the fact lines and, beside it, their reader: what one writes the other reads.
#include "compiler/model/facts.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "compiler/model/dax.hpp"
#include "compiler/model/knob.hpp"

namespace memonline::model {

namespace {

/// In the order of their lines, which every fingerprint depends on.
constexpr std::array kKnobsOfFacts{Knob::AutoOnlineBlocks, Knob::OnlinePolicy,
                                   Knob::AutoMovableRatio, Knob::AutoMovableNumaAware,
                                   Knob::MemmapOnMemory};

constexpr std::size_t kMaxZones = 4;                           // what ValidZones holds
constexpr std::uint64_t kMaxBlocks = std::uint64_t{1} << 60U;  // as the host readers have it

enum class Spaces { Kept, Escaped };

std::string escaped(std::string_view text, Spaces spaces) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7F || c == '\\' || (c == ' ' && spaces == Spaces::Escaped))
      result += fmt::format("\\x{:02x}", static_cast<unsigned>(byte));
    else
      result += c;
  }
  return result;
}

std::string device_text(const Device& device) {
  std::string text = escaped(device.name, Spaces::Escaped);
  if (!device.driver.empty()) text += ' ' + escaped(device.driver, Spaces::Escaped);
  return text;
}

std::string block_line(const BlockFact& run) {
  return fmt::format("blocks {}..{} {} [{}] node {}{} {}", run.blocks.first, run.blocks.last,
                     state_name(run.state), zones_text(run.zones),
                     run.node ? fmt::to_string(*run.node) : "unknown", run.several_nodes ? "+" : "",
                     run.device);
}

std::string cpu_text(const std::optional<bool>& has_cpu) {
  if (!has_cpu) return "unknown";
  return *has_cpu ? "yes" : "no";
}

// Takes the text up to and including `end`; nothing if there is no `end`.
std::optional<std::string_view> take(std::string_view& text, std::string_view end) {
  const std::size_t at = text.find(end);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(at + end.size());
  return part;
}

template <class Number>
std::optional<Number> number_in(std::string_view text) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  // One spelling a number, so that reading and writing give the same line.
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  return value;
}

std::optional<State> state_named(std::string_view name) {
  for (const State state : {State::Online, State::Offline, State::GoingOffline, State::Unknown})
    if (state_name(state) == name) return state;
  return std::nullopt;
}

std::optional<ValidZones> zones_in(std::string_view text) {
  if (text == "unknown") return ValidZones(ValidZones::Kind::Unknown);
  if (text == "empty") return ValidZones(ValidZones::Kind::Empty);
  if (text == "none") return ValidZones(ValidZones::Kind::None);
  ValidZones zones;
  for (bool more = true; more;) {
    const std::size_t space = text.find(' ');
    const auto zone = zone_named(text.substr(0, space));
    if (!zone || zones.size() == kMaxZones) return std::nullopt;
    zones.push_back(*zone);
    more = space != std::string_view::npos;
    if (more) text.remove_prefix(space + 1);
  }
  return zones;
}

bool is_fact_text(std::string_view text) {
  for (const char c : text)
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7F) return false;
  return true;
}

// "12..15 offline [Normal Movable] node 1 dimm0", what follows "blocks ".
std::optional<BlockFact> block_in(std::string_view text) {
  BlockFact run;
  const auto first = take(text, "..");
  const auto last = take(text, " ");
  const auto state = take(text, " [");
  const auto zones = take(text, "] node ");
  auto node = take(text, " ");
  if (!first || !last || !state || !zones || !node || text.empty()) return std::nullopt;
  const auto first_number = number_in<std::uint64_t>(*first);
  const auto last_number = number_in<std::uint64_t>(*last);
  const auto known_state = state_named(*state);
  const auto known_zones = zones_in(*zones);
  if (!first_number || !last_number || !known_state || !known_zones) return std::nullopt;
  if (*last_number < *first_number || *last_number >= kMaxBlocks) return std::nullopt;
  run.blocks = {BlockId(*first_number), BlockId(*last_number)};
  run.state = *known_state;
  run.zones = *known_zones;
  run.several_nodes = node->ends_with('+');
  if (run.several_nodes) node->remove_suffix(1);
  if (*node != "unknown") {
    const auto id = number_in<std::uint32_t>(*node);
    if (!id) return std::nullopt;
    run.node = NodeId(*id);
  }
  run.device = text;
  return run;
}

// "126..129 dax0.0", "24..31 standby own-map", what follows "unconfigured ".
std::optional<UnconfiguredFact> unconfigured_in(std::string_view text) {
  constexpr std::string_view kOwnMap = " own-map";
  UnconfiguredFact memory;
  memory.own_map = text.ends_with(kOwnMap);
  if (memory.own_map) text.remove_suffix(kOwnMap.size());
  const auto first = take(text, "..");
  const auto last = take(text, " ");
  if (!first || !last || text.empty()) return std::nullopt;
  const auto first_number = number_in<std::uint64_t>(*first);
  const auto last_number = number_in<std::uint64_t>(*last);
  if (!first_number || !last_number || *last_number < *first_number || *last_number >= kMaxBlocks)
    return std::nullopt;
  memory.blocks = {BlockId(*first_number), BlockId(*last_number)};
  memory.device = text;
  if (memory.device != "standby" && (memory.own_map || !is_dax_name(memory.device)))
    return std::nullopt;
  return memory;
}

std::vector<UnconfiguredFact> unconfigured_of(const Host& host) {
  std::vector<UnconfiguredFact> all;
  const BlockSet standby(host.standby);
  const BlockSet own = host.standby_own_map ? BlockSet(*host.standby_own_map) : BlockSet();
  for (const BlockRange& range : intersect(standby, own)) all.push_back({range, "standby", true});
  for (const BlockRange& range : subtract(standby, own)) all.push_back({range, "standby", false});
  // Whatever its driver is, and whether kmem is loaded: a plan that does not bind it depends on
  // neither, and one that does reports it if the kernel refuses.
  for (const DaxDevice& dax : host.dax_devices)
    if (!dax.is_system_ram())
      for (const BlockRange& range : dax.blocks) all.push_back({range, dax.name, false});
  std::sort(all.begin(), all.end(), [](const UnconfiguredFact& a, const UnconfiguredFact& b) {
    return a.blocks.first < b.blocks.first;
  });
  return all;
}

class Reader {
 public:
  bool read(std::string_view line) {
    if (!is_fact_text(line)) return false;
    const auto word = take(line, " ");
    if (!word) return false;
    if (*word == "block-size") return size(line, facts_.block_size, has_block_size_);
    if (*word == "page-size") return size(line, facts_.page_size, has_page_size_);
    if (*word == "era") return era(line);
    if (*word == "arch") return text(line, facts_.arch, has_arch_);
    if (*word == "hot-remove") return hot_remove(line);
    if (*word == "parameter") return facts_.parameters.emplace_back(line), true;
    if (*word == "knob") return knob(line);
    if (*word == "node") return node(line);
    if (*word == "unconfigured") return unconfigured(line);
    return *word == "blocks" && blocks(line);
  }

  [[nodiscard]] std::string missing() const {
    if (!has_block_size_) return "block-size";
    if (!has_page_size_) return "page-size";
    if (!has_era_) return "era";
    if (!has_arch_) return "arch";
    return has_hot_remove_ ? "" : "hot-remove";
  }
  Facts facts() && { return std::move(facts_); }

 private:
  static bool size(std::string_view line, std::uint64_t& into, bool& has) {
    const auto value = number_in<std::uint64_t>(line);
    if (!value || std::exchange(has, true)) return false;
    into = *value;
    return true;
  }
  static bool text(std::string_view line, std::string& into, bool& has) {
    into = line;
    return !std::exchange(has, true);
  }
  bool era(std::string_view line) {
    const auto named = era_named(line);
    if (!named || std::exchange(has_era_, true)) return false;
    facts_.era = *named;
    return true;
  }
  bool hot_remove(std::string_view line) {
    facts_.hot_remove = line == "true";
    return (line == "true" || line == "false") && !std::exchange(has_hot_remove_, true);
  }
  bool knob(std::string_view line) {
    const auto name = take(line, " ");
    if (!name || !knob_names_.emplace(*name).second) return false;
    facts_.knobs.push_back({std::string(*name), std::string(line)});
    return true;
  }
  bool node(std::string_view line) {
    const auto number = take(line, " cpu ");
    const auto id = number ? number_in<std::uint32_t>(*number) : std::nullopt;
    if (!id || (line != "yes" && line != "no" && line != "unknown")) return false;
    std::optional<bool> cpu;
    if (line != "unknown") cpu = line == "yes";
    return facts_.node_cpus.emplace(NodeId(*id), cpu).second;
  }
  bool blocks(std::string_view line) {
    auto run = block_in(line);
    if (!run || (!facts_.blocks.empty() && run->blocks.first <= facts_.blocks.back().blocks.last))
      return false;
    facts_.blocks.push_back(std::move(*run));
    return true;
  }

  bool unconfigured(std::string_view line) {
    auto memory = unconfigured_in(line);
    auto& all = facts_.unconfigured;
    if (!memory || (!all.empty() && memory->blocks.first <= all.back().blocks.last)) return false;
    all.push_back(std::move(*memory));
    return true;
  }

  Facts facts_;
  std::set<std::string, std::less<>> knob_names_;
  bool has_block_size_ = false;
  bool has_page_size_ = false;
  bool has_era_ = false;
  bool has_arch_ = false;
  bool has_hot_remove_ = false;
};

}  // namespace

std::string zones_text(const ValidZones& zones) {
  switch (zones.kind()) {
    case ValidZones::Kind::Unknown: return "unknown";
    case ValidZones::Kind::Empty: return "empty";
    case ValidZones::Kind::None: return "none";
    case ValidZones::Kind::Listed: break;
  }
  std::string text;
  for (const Zone zone : zones) {
    if (!text.empty()) text += ' ';
    text += zone_name(zone);
  }
  return text;
}

const std::string* Facts::knob(std::string_view name) const {
  const auto at = std::find_if(knobs.begin(), knobs.end(),
                               [&](const KnobFact& knob) { return knob.name == name; });
  return at == knobs.end() ? nullptr : &at->value;
}

Facts facts_of(const Host& host) {
  Facts facts;
  facts.block_size = host.block_size.value();
  facts.page_size = host.page_size;
  facts.era = host.era;
  facts.arch = escaped(host.arch, Spaces::Kept);
  facts.hot_remove = host.hot_remove;
  for (const std::string& word : host.command_line)
    facts.parameters.push_back(escaped(word, Spaces::Kept));
  for (const Knob knob : kKnobsOfFacts)
    if (const auto value = knob_value(host.knobs, knob))
      facts.knobs.push_back({std::string(knob_name(knob)), escaped(*value, Spaces::Kept)});
  for (const Node& node : host.nodes) facts.node_cpus[node.id] = node.has_cpu;
  facts.blocks.reserve(host.blocks.size());
  for (const BlockRun& run : host.blocks)
    facts.blocks.push_back({run.range(), run.state, run.zones, run.node, run.several_nodes,
                            device_text(host.devices.at(run.device))});
  facts.unconfigured = unconfigured_of(host);
  return facts;
}

std::vector<std::string> lines_of(const Facts& facts) {
  std::vector<std::string> lines{fmt::format("block-size {}", facts.block_size),
                                 fmt::format("page-size {}", facts.page_size),
                                 fmt::format("era {}", era_name(facts.era)), "arch " + facts.arch,
                                 fmt::format("hot-remove {}", facts.hot_remove)};
  for (const std::string& word : facts.parameters) lines.push_back("parameter " + word);
  for (const KnobFact& knob : facts.knobs) lines.push_back("knob " + knob.name + ' ' + knob.value);
  for (const auto& [id, has_cpu] : facts.node_cpus)
    lines.push_back(fmt::format("node {} cpu {}", id, cpu_text(has_cpu)));
  for (const BlockFact& run : facts.blocks) lines.push_back(block_line(run));
  for (const UnconfiguredFact& memory : facts.unconfigured)
    lines.push_back(fmt::format("unconfigured {}..{} {}{}", memory.blocks.first, memory.blocks.last,
                                memory.device, memory.own_map ? " own-map" : ""));
  return lines;
}

Result<Facts, std::string> parse_facts(const std::vector<std::string>& lines) {
  Reader reader;
  for (const std::string& line : lines)
    if (!reader.read(line)) return fail(std::string(line));
  if (std::string missing = reader.missing(); !missing.empty()) return fail(std::move(missing));
  return std::move(reader).facts();
}

std::string canonical_text(const Host& host) {
  std::string text;
  for (const std::string& line : lines_of(facts_of(host))) text += line + '\n';
  return text;
}

}  // namespace memonline::model
