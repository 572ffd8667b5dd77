// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/host/udev_walk.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "runtime/host/onliner_programs.hpp"
#include "runtime/host/text.hpp"
#include "runtime/host/udev_event.hpp"

namespace memonline::runtime {

namespace {

using Place = std::pair<std::size_t, std::size_t>;  // file, byte

/// A subsystem unrelated to memory: a rule that runs for it runs for everything.
constexpr std::string_view kOther = "memonline-other";

struct MatchedPart {
  StateRule rule;
  Onlines onlines = Onlines::Writes;
  bool delayed = false;  ///< in the list of RUN, which a later rule may empty
  bool unit = false;     ///< by SYSTEMD_WANTS, which only counts with systemd's tag
};

const UdevPart* part_named(const UdevRule& rule, std::string_view key) {
  const auto at =
      std::find_if(rule.begin(), rule.end(), [&](const UdevPart& part) { return part.key == key; });
  return at == rule.end() ? nullptr : &*at;
}

bool is_state_word(const std::string& value) {
  return value.starts_with("online") || value.starts_with("offline");
}

bool runs_program(const UdevPart& part) {
  if (part.key == "RUN") return part.attribute.empty() || part.attribute == "program";
  return part.key == "PROGRAM" || (part.key == "IMPORT" && part.attribute == "program");
}

/// Most files are about other devices, and need not be walked through.
bool may_concern_memory(std::string_view text) {
  constexpr std::array<std::string_view, 7> kWords{"mem",  "online", "state}", "dax",
                                                   "node", "cxl",    "\"nd"};
  return std::any_of(kWords.begin(), kWords.end(), [&](std::string_view word) {
    return text.find(word) != std::string_view::npos;
  });
}

/// One event through all files.
class Walk {
 public:
  Walk(UdevEvent event, const Tree* tree) : event_(std::move(event)), tree_(tree) {}

  void file(std::size_t number, const std::vector<UdevRule>& rules) {
    // Jumps only lead forwards. One that is certain skips the rules up to its label, or up to that
    // of an earlier jump that may have been made.
    std::set<std::string> waiting;
    bool skipping = false;
    for (const UdevRule& rule : rules) {
      const UdevPart* label = part_named(rule, "LABEL");
      if (label != nullptr && waiting.erase(label->value) > 0) skipping = false;
      if (skipping) continue;
      const Truth truth = event_.apply(rule);
      if (truth == Truth::No) continue;
      collect(number, rule, truth);
      const UdevPart* jump = part_named(rule, "GOTO");
      if (jump == nullptr) continue;
      waiting.insert(jump->value);
      skipping = truth == Truth::Yes;
    }
  }

  std::vector<MatchedPart> take() && {
    if (!event_.tagged()) std::erase_if(found_, [](const MatchedPart& one) { return one.unit; });
    return std::move(found_);
  }

 private:
  void collect(std::size_t number, const UdevRule& rule, Truth truth) {
    file_ = number;
    // Programs and units count only when a block arrives; a rule that writes the state always does.
    const bool arrives = event_.kind().action == "add" || event_.kind().action == "change";
    for (const UdevPart& part : rule) {
      if (part.key == "RUN" && (part.op == "=" || part.op == ":=") && truth == Truth::Yes)
        std::erase_if(found_, [](const MatchedPart& one) { return one.delayed; });
      if (part.key == "ATTR" && !part.matches()) write(part);
      if (!arrives) continue;
      if (runs_program(part) && part.op != "-=") program(part);
      if (part.key == "ENV" && part.attribute == "SYSTEMD_WANTS" && !part.matches() &&
          part.op != "-=")
        units(part);
    }
  }

  MatchedPart& add(const UdevPart& part) {
    MatchedPart& one = found_.emplace_back();
    one.rule.file = file_;
    one.rule.begin = part.begin;
    one.rule.end = part.end;
    return one;
  }

  void write(const UdevPart& part) {
    const bool setting = part.attribute.ends_with("auto_online_blocks");
    const bool state = event_.of_memory() && part.attribute == "state";
    const bool online = event_.of_memory() && part.attribute == "online";
    if (!setting && !state && !online) return;
    std::set<std::string> values = event_.values_of(part.value);
    const bool known = !values.empty();
    // The kernel refuses unknown words.
    std::erase_if(values, [&](const std::string& value) {
      return value.empty() || (state && !is_state_word(value));
    });
    if (known && values.empty()) return;
    MatchedPart& one = add(part);
    one.rule.states.assign(values.begin(), values.end());
    one.rule.writes_setting = setting;
  }

  void program(const UdevPart& part) {
    const Onlines onlines = command_onlines(tree_, part.value);
    if (onlines == Onlines::No) return;
    // A rule that reads the output of a program does not start it for its effect.
    const bool asks = part.key != "RUN" && !event_.of_memory();
    if (onlines == Onlines::Unread && asks) return;
    MatchedPart& one = add(part);
    one.onlines = onlines;
    one.delayed = part.key == "RUN";
    one.rule.command = part.value;
  }

  void units(const UdevPart& part) {
    std::string value = event_.unit_of(part.value);
    for (std::string_view rest(value); !rest.empty();) {
      const std::string unit(take_until(rest, ' '));
      const Onlines onlines = unit_onlines(tree_, unit);
      const bool about_memory = event_.of_memory() || unit.find("mem") != std::string::npos;
      if (onlines == Onlines::No || (onlines == Onlines::Unread && !about_memory)) continue;
      MatchedPart& one = add(part);
      one.onlines = std::min(onlines, Onlines::May);
      one.unit = true;
      one.rule.command = unit;
    }
  }

  UdevEvent event_;
  const Tree* tree_;
  std::size_t file_ = 0;
  std::vector<MatchedPart> found_;
};

class Search {
 public:
  Search(const std::vector<RulesFile>& files, const model::Host& host, const Tree* tree)
      : host_(host), tree_(tree) {
    for (const RulesFile& file : files) {
      rules_.push_back(may_concern_memory(file.text) ? parse_udev_rules(file.text)
                                                     : std::vector<UdevRule>());
      asks_setting_ = asks_setting_ || file.text.find("auto_online_blocks") != std::string::npos;
    }
  }

  std::vector<StateRule> all() && {
    for (const MatchedPart& one : walked({kOther, "add"}, {}))
      for_everything_.insert({one.rule.file, one.rule.begin});
    for (const std::string_view action : {"add", "change", "online", "offline"})
      event({"memory", action});
    for (const std::string_view subsystem : {"node", "dax", "nd", "cxl"})
      for (const std::string_view action : {"add", "change"}) event({subsystem, action});
    std::vector<StateRule> rules;
    for (auto& [place, rule] : found_) rules.push_back(std::move(rule));
    return rules;
  }

 private:
  std::vector<MatchedPart> walked(UdevEvent::Kind kind,
                                  const std::optional<std::string>& setting) const {
    Walk walk(UdevEvent(kind, host_, tree_, setting), tree_);
    for (std::size_t i = 0; i < rules_.size(); ++i) walk.file(i, rules_[i]);
    return std::move(walk).take();
  }

  /// Where a rule asks for auto_online_blocks, at each value that it may have.
  void event(UdevEvent::Kind kind) {
    if (!asks_setting_) {
      keep(walked(kind, {}), {});
      return;
    }
    constexpr std::array<std::string_view, 4> kSettings{"offline", "online", "online_kernel",
                                                        "online_movable"};
    std::map<Place, std::vector<std::string>> at;
    std::vector<MatchedPart> all;
    for (const std::string_view setting : kSettings)
      for (MatchedPart& one : walked(kind, std::string(setting))) {
        std::vector<std::string>& settings = at[{one.rule.file, one.rule.begin}];
        if (settings.empty()) all.push_back(std::move(one));
        if (settings.empty() || settings.back() != setting) settings.emplace_back(setting);
      }
    for (auto& [place, settings] : at)
      if (settings.size() == kSettings.size()) settings.clear();
    keep(std::move(all), at);
  }

  void keep(std::vector<MatchedPart> all,
            const std::map<Place, std::vector<std::string>>& settings) {
    for (MatchedPart& one : all) {
      const Place place{one.rule.file, one.rule.begin};
      // An unknown program counts if it is started only for memory.
      if (one.onlines == Onlines::Unread && for_everything_.contains(place)) continue;
      one.rule.program = !one.rule.command.empty();
      one.rule.certain = one.onlines == Onlines::Writes;
      if (const auto at = settings.find(place); at != settings.end())
        one.rule.only_with = at->second;
      found_.emplace(place, std::move(one.rule));
    }
  }

  const model::Host& host_;
  const Tree* tree_;
  std::vector<std::vector<UdevRule>> rules_;
  bool asks_setting_ = false;
  std::set<Place> for_everything_;
  std::map<Place, StateRule> found_;
};

}  // namespace

std::vector<StateRule> onlining_rules(const std::vector<RulesFile>& files, const model::Host& host,
                                      const Tree* tree) {
  return Search(files, host, tree).all();
}

std::vector<StateRule> rules_for_blocks(std::string_view rules, const model::Host& host) {
  auto found = onlining_rules({{"", std::string(rules)}}, host, nullptr);
  std::erase_if(found, [](const StateRule& rule) { return !rule.certain || rule.writes_setting; });
  return found;
}

}  // namespace memonline::runtime
