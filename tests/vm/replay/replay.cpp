// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/vm/replay/replay.hpp"

#include <algorithm>
#include <set>
#include <sstream>
#include <utility>

#include <fmt/format.h>

#include "compiler/model/knob.hpp"

namespace memonline::vm {

namespace {

using kernel::Model;
using model::BlockId;
using model::NodeId;
using model::OnlineWord;
using model::State;
using model::ValidZones;
using model::Zone;

constexpr std::uint64_t kUnknownNode = 0xffffffff;

std::string zones_text(const ValidZones& zones) {
  switch (zones.kind()) {
    case ValidZones::Kind::Unknown: return "unknown";
    case ValidZones::Kind::Empty: return "";
    case ValidZones::Kind::None: return "none";
    case ValidZones::Kind::Listed: break;
  }
  std::string text;
  for (const Zone zone : zones) text += (text.empty() ? "" : " ") + std::string(zone_name(zone));
  return text;
}

std::optional<OnlineWord> word_named(const std::string& text) {
  for (const OnlineWord word :
       {OnlineWord::Online, OnlineWord::OnlineKernel, OnlineWord::OnlineMovable})
    if (model::online_word(word) == text) return word;
  return std::nullopt;
}

class Replay {
 public:
  explicit Replay(const model::Host& host) : model_(host) {}

  std::vector<std::string> step(const Step& step) {
    const Facts before = facts_;
    for (const std::string& fact : step.facts) learn(facts_, fact);
    std::vector<std::string> differences;
    const std::string answer = perform(words_of(step.operation), step.error, before);
    if (answer != step.error)
      differences.push_back(fmt::format("the kernel answers {}, the model {}", step.error, answer));
    compare(differences);
    return differences;
  }

 private:
  [[nodiscard]] std::optional<State> state_of(BlockId block) const {
    for (const auto& [first, run] : model_.state().runs)
      if (first <= block.value() && block.value() < first + run.count) return run.state;
    return std::nullopt;
  }

  [[nodiscard]] bool is_boot_memory(BlockId block) const {
    for (const auto& [first, run] : model_.state().runs)
      if (first <= block.value() && block.value() < first + run.count)
        return model_.state().devices[run.device].origin == model::Origin::Boot;
    return false;
  }

  /// The errno the model gives; what the kernel answered decides only where no model can.
  std::string perform(const std::vector<std::string>& words, const std::string& error,
                      const Facts& before) {
    const std::string& verb = words.at(0);
    const auto number = [&](std::size_t i) { return std::stoull(words.at(i)); };
    if (verb == "look") return "0";
    if (verb == "state") return write_state(BlockId(number(1)), words.at(2), error);
    if (verb == "attribute") return write_attribute(BlockId(number(1)), words.at(2), error);
    if (verb == "set") {
      const auto knob = model::knob_named(words.at(1));
      if (!knob) return "ENOENT";
      const auto set = model_.set_knob(*knob, words.at(2));
      return set ? "0" : std::string(kernel::errno_name(set.error().error));
    }
    if (verb == "add")
      return add(number(1), number(2), NodeId(static_cast<std::uint32_t>(number(3))));
    if (verb == "dlpar")
      return add_lmbs(number(1), number(2), NodeId(static_cast<std::uint32_t>(number(3))));
    if (verb == "remove") return error == "0" ? remove(number(1), number(2)) : error;
    if (verb == "grow") return grow(before);
    return "an operation nobody knows";
  }

  std::string write_state(BlockId block, const std::string& word, const std::string& error) {
    if (const auto online = word_named(word)) {
      if (state_of(block) == State::Online)
        left_over_[block.value()] = *online;
      else
        left_over_.erase(block.value());
      const auto placed = model_.online({block, block}, *online);
      return placed ? "0" : std::string(kernel::errno_name(placed.error().error));
    }
    if (!state_of(block)) return "ENOENT";
    if (word != "offline") return "EINVAL";
    Model tried = model_;
    const auto done = tried.offline({block, block});
    if (!done) return std::string(kernel::errno_name(done.error().error));
    if (could_not_migrate(error)) return error;
    // The planner knows it (compiler/kernel/README.md, 6.3), not the model.
    if (model_.host().arch == "aarch64" && is_boot_memory(block)) return "EPERM";
    model_ = std::move(tried);
    return "0";
  }

  /// The `online` file: nothing to do is success there. What it onlines goes where the last word
  /// written into `state` says if the block was online by then: state_store() puts the word into
  /// the block before it finds that there is nothing to do, and memory_subsys_online() takes it.
  std::string write_attribute(BlockId block, const std::string& word, const std::string& error) {
    const auto state = state_of(block);
    if (!state) return "ENOENT";
    if (word != "0" && word != "1") return "EINVAL";
    if ((*state == State::Online) == (word == "1")) return "0";
    if (word == "0") return write_state(block, "offline", error);
    const auto left = left_over_.find(block.value());
    const OnlineWord type = left == left_over_.end() ? OnlineWord::Online : left->second;
    return write_state(block, std::string(model::online_word(type)), error);
  }

  /// What the kernel does with blocks that were just added (auto_online_blocks), ascending.
  void auto_online(std::uint64_t first, std::uint64_t count) {
    const auto word = word_named(model_.host().knobs.auto_online_blocks.value_or("offline"));
    if (word) (void)model_.online({BlockId(first), BlockId(first + count - 1)}, *word);
  }

  std::string add(std::uint64_t first, std::uint64_t count, NodeId node) {
    model::Device device;
    device.kind = model::Device::Kind::Dimm;
    device.origin = model::Origin::Hotplugged;
    device.name = fmt::format("dimm{}", model_.state().devices.size());
    const auto added = model_.add(BlockId(first), count, node, model_.add_device(device));
    if (!added) return std::string(kernel::errno_name(added.error().error));
    auto_online(first, count);
    return "0";
  }

  /// DLPAR adds logical memory blocks one by one, without a memory group, and onlines each: as
  /// `online` where the kernel leaves new memory offline (dlpar_online_lmb).
  std::string add_lmbs(std::uint64_t first, std::uint64_t count, NodeId node) {
    model::Device device;
    device.kind = model::Device::Kind::None;
    device.origin = model::Origin::Hotplugged;
    device.name = fmt::format("lmbs{}", model_.state().devices.size());
    const std::uint32_t index = model_.add_device(device);
    for (std::uint64_t id = first; id < first + count; ++id) {
      const auto added = model_.add(BlockId(id), 1, node, index);
      if (!added) return std::string(kernel::errno_name(added.error().error));
      const auto word = word_named(model_.host().knobs.auto_online_blocks.value_or("offline"));
      (void)model_.online({BlockId(id), BlockId(id)}, word.value_or(OnlineWord::Online));
    }
    return "0";
  }

  /// The kernel takes what is online offline first, ascending (acpi_scan_try_to_offline).
  std::string remove(std::uint64_t first, std::uint64_t count) {
    for (std::uint64_t id = first; id < first + count; ++id)
      if (state_of(BlockId(id)) == State::Online) (void)model_.offline({BlockId(id), BlockId(id)});
    left_over_.erase(left_over_.lower_bound(first), left_over_.lower_bound(first + count));
    const auto removed = model_.remove(BlockId(first), count);
    return removed ? "0" : std::string(kernel::errno_name(removed.error().error));
  }

  /// virtio-mem adds block by block; which, the kernel tells. Each goes online before the next.
  std::string grow(const Facts& before) {
    std::set<std::uint64_t> fresh;
    for (const auto& [key, value] : facts_)
      if (key[0] == 'b' && before.count(key) == 0) fresh.insert(std::stoull(key.substr(2)));
    for (const std::uint64_t block : fresh) {
      const auto& devices = model_.state().devices;
      std::optional<std::uint32_t> device;
      for (const auto& [first, run] : model_.state().runs)
        if (first < block && devices[run.device].kind == model::Device::Kind::VirtioMem)
          device = run.device;
      if (!device) return "a block of no virtio-mem device";
      const std::string node = words_of(facts_.at(fmt::format("b {}", block))).at(0);
      const auto added = model_.add(BlockId(block), 1,
                                    NodeId(static_cast<std::uint32_t>(std::stoul(node))), *device);
      if (!added) return std::string(kernel::errno_name(added.error().error));
      auto_online(block, 1);
    }
    return "0";
  }

  void compare(std::vector<std::string>& differences) const {
    const Facts model = facts_of_model();
    const auto differ = [&](const std::string& key, const std::string& kernel_says,
                            const std::string& model_says) {
      differences.push_back(
          fmt::format("{}: the kernel says `{}`, the model `{}`", key, kernel_says, model_says));
    };
    for (const auto& [key, value] : facts_) {
      const auto at = model.find(key);
      if (at == model.end() || at->second != value)
        differ(key, value, at == model.end() ? "nothing" : at->second);
    }
    for (const auto& [key, value] : model)
      if (facts_.count(key) == 0) differ(key, "nothing", value);
  }

  /// The model in the words of the log.
  [[nodiscard]] Facts facts_of_model() const {
    Facts facts;
    for (const auto& [first, run] : model_.state().runs)
      for (std::uint64_t id = first; id < first + run.count; ++id) {
        const std::string node = run.node ? fmt::format("{}", run.node->value()) : "-";
        // Only a capture tells all nodes of a block; what several share never changes.
        const auto shown = facts_.find(fmt::format("b {}", id));
        const std::string several = shown == facts_.end() ? node : words_of(shown->second).at(0);
        facts[fmt::format("b {}", id)] =
            fmt::format("{} {} {}", run.several_nodes ? several : node, state_name(run.state),
                        zones_text(model_.valid_zones(BlockId(id))));
      }
    for (const auto& [id, node] : model_.state().nodes) {
      if (id.value() == kUnknownNode) continue;
      for (std::size_t z = 0; z < model::kZoneCount; ++z) {
        const kernel::ZoneState& zone = node.zones[z];
        if (zone.empty() && zone.present == 0) continue;
        facts[fmt::format("z {} {}", id.value(), zone_name(static_cast<Zone>(z)))] =
            fmt::format("{} {} {}", zone.span.begin, zone.span.end - zone.span.begin, zone.present);
      }
    }
    const model::Knobs knobs = model_.host().knobs;
    for (const model::KnobInfo& info : model::kKnobs)
      if (const auto value = model::knob_value(knobs, info.knob);
          value && model::can_be_set(info.knob))
        facts[fmt::format("k {}", info.name)] = *value;
    return facts;
  }

  Model model_;
  Facts facts_;
  std::map<std::uint64_t, OnlineWord> left_over_;  ///< by block
};

}  // namespace

void learn(Facts& facts, const std::string& line) {
  const std::size_t words = line.starts_with("z ") ? 3 : 2;
  std::size_t space = 0;
  for (std::size_t i = 0; i < words && space != std::string::npos; ++i)
    space = line.find(' ', space + 1);
  const std::string value = space == std::string::npos ? "" : line.substr(space + 1);
  if (value == "gone")
    facts.erase(line.substr(0, space));
  else
    facts[line.substr(0, space)] = value;
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

bool could_not_migrate(const std::string& error) {
  return error == "EBUSY" || error == "EAGAIN" || error == "EINTR" || error == "ENOMEM";
}

std::vector<Step> steps_of(const std::string& log) {
  std::vector<Step> steps;
  std::istringstream text(log);
  std::optional<Step> step;
  std::size_t number = 0;
  for (std::string line; std::getline(text, line);) {
    ++number;
    if (line.compare(0, 2, "> ") == 0) {
      step = Step{number, line.substr(2), "0", {}};
    } else if (step && line == ".") {
      steps.push_back(*std::exchange(step, std::nullopt));
    } else if (step && line.compare(0, 2, "= ") == 0) {
      step->error = line.substr(2);
    } else if (step) {
      step->facts.push_back(line);
    }
  }
  return steps;
}

Verdict replay(const model::Host& host, const std::vector<Step>& steps) {
  Replay player(host);
  Verdict verdict;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    verdict.differences = player.step(steps[i]);
    if (!verdict.differences.empty()) {
      verdict.step = i;
      return verdict;
    }
    ++verdict.operations;
    const std::vector<std::string> words = words_of(steps[i].operation);
    const bool names_word = words[0] == "state" && words.size() > 2;
    ++verdict.answers[fmt::format("{} {}", names_word ? words[2] : words[0], steps[i].error)];
  }
  return verdict;
}

}  // namespace memonline::vm
