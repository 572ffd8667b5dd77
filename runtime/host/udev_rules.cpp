// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/host/udev_rules.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fnmatch.h>

#include "runtime/host/text.hpp"

namespace memonline::runtime {

namespace {

// One comma-separated part of a rule: KEY{attribute} operator "value".
struct Part {
  std::string key;
  std::string attribute;
  std::string op;
  std::string value;
  std::size_t begin = 0;
  std::size_t end = 0;
  [[nodiscard]] bool matches() const { return op == "==" || op == "!="; }
};
using Rule = std::vector<Part>;

// A rule goes on behind a backslash at the end of a line, and comments in between are no part of
// it. Blanks take the place of both, so that every byte keeps its place.
std::string one_line_a_rule(std::string_view text) {
  std::string flat(text);
  bool continued = false;
  for (std::size_t at = 0; at < flat.size();) {
    const std::size_t end = std::min(flat.find('\n', at), flat.size());
    const std::size_t first = flat.find_first_not_of(" \t", at);
    const bool comment = first < end && flat[first] == '#';
    if (comment)
      std::fill(flat.begin() + static_cast<std::ptrdiff_t>(at),
                flat.begin() + static_cast<std::ptrdiff_t>(end), ' ');
    const bool goes_on = comment ? continued : end > at && flat[end - 1] == '\\';
    if (goes_on && !comment) flat[end - 1] = ' ';
    if (goes_on && end < flat.size()) flat[end] = ' ';
    continued = goes_on;
    at = end + 1;
  }
  return flat;
}

bool is_key_letter(char c) { return (c >= 'A' && c <= 'Z') || c == '_'; }

std::optional<Part> part_at(std::string_view line, std::size_t& at) {
  Part part;
  part.begin = at;
  while (at < line.size() && is_key_letter(line[at])) part.key += line[at++];
  if (part.key.empty()) return std::nullopt;
  if (at < line.size() && line[at] == '{') {
    const std::size_t close = line.find('}', at);
    if (close == std::string_view::npos) return std::nullopt;
    part.attribute = line.substr(at + 1, close - at - 1);
    at = close + 1;
  }
  while (at < line.size() && (line[at] == ' ' || line[at] == '\t')) ++at;
  while (at < line.size() && std::string_view("=!+-:").find(line[at]) != std::string_view::npos)
    part.op += line[at++];
  while (at < line.size() && (line[at] == ' ' || line[at] == '\t')) ++at;
  while (at < line.size() && (line[at] == 'e' || line[at] == 'i')) ++at;  // e"..." and i"..."
  if (part.op.empty() || at >= line.size() || line[at] != '"') return std::nullopt;
  for (++at; at < line.size() && line[at] != '"'; ++at) {
    if (line[at] == '\\' && at + 1 < line.size() && line[at + 1] == '"') ++at;
    part.value += line[at];
  }
  if (at >= line.size()) return std::nullopt;
  part.end = ++at;
  return part;
}

std::vector<Rule> parse(std::string_view text) {
  const std::string flat = one_line_a_rule(text);
  std::vector<Rule> rules;
  for (std::size_t start = 0; start < flat.size();) {
    const std::size_t end = std::min(flat.find('\n', start), flat.size());
    const std::string_view line = std::string_view(flat).substr(start, end - start);
    Rule rule;
    for (std::size_t at = 0; at < line.size();) {
      at = line.find_first_not_of(" \t,\r", at);
      if (at == std::string_view::npos) break;
      auto part = part_at(line, at);
      if (!part) break;  // udev drops such a rule from here on
      part->begin += start;
      part->end += start;
      rule.push_back(std::move(*part));
    }
    if (!rule.empty()) rules.push_back(std::move(rule));
    start = end + 1;
  }
  return rules;
}

enum class Truth { No, Perhaps, Yes };

Truth negated(Truth truth) {
  if (truth == Truth::Perhaps) return truth;
  return truth == Truth::Yes ? Truth::No : Truth::Yes;
}

// A value may list patterns: "memory|cpu", "memory[0-9]*".
bool fits(const std::string& patterns, const std::string& text) {
  std::string_view rest(patterns);
  do {
    const std::string pattern(take_until(rest, '|'));
    if (::fnmatch(pattern.c_str(), text.c_str(), 0) == 0) return true;
  } while (!rest.empty());
  return false;
}

// systemd's names (systemd.unit(5), ConditionArchitecture=) for those of uname.
std::string udev_arch(const std::string& arch) {
  static const std::map<std::string, std::string, std::less<>> names{{"x86_64", "x86-64"},
                                                                     {"i686", "x86"},
                                                                     {"aarch64", "arm64"},
                                                                     {"ppc64", "ppc64"},
                                                                     {"ppc64le", "ppc64-le"}};
  const auto at = names.find(arch);
  return at == names.end() ? arch : at->second;
}

// What is matched against, for the event "add" of a block that is offline; empty: cannot be told.
std::optional<std::string> fact(const Part& part, const model::Host& host) {
  const auto known = [](std::string text) -> std::optional<std::string> {
    if (text.empty()) return std::nullopt;
    return text;
  };
  if (part.key == "SUBSYSTEM") return "memory";
  if (part.key == "ACTION") return "add";
  if (part.key == "KERNEL") return "memory32";
  if (part.key == "DEVPATH") return "/devices/system/memory/memory32";
  if (part.key == "CONST" && part.attribute == "arch") return known(udev_arch(host.arch));
  if (part.key == "CONST" && part.attribute == "virt") return known(host.virtualization);
  if (part.key != "ATTR") return std::nullopt;
  if (part.attribute == "[dmi/id]sys_vendor") return known(host.vendor);
  if (part.attribute == "[dmi/id]product_name") return known(host.product);
  if (part.attribute == "[dmi/id]product_family") return known(host.family);
  if (part.attribute == "state") return "offline";
  if (part.attribute == "online") return "0";
  return std::nullopt;
}

Truth holds(const Part& part, const model::Host& host) {
  const auto value = fact(part, host);
  if (!value) return Truth::Perhaps;
  Truth truth = fits(part.value, *value) ? Truth::Yes : Truth::No;
  // A block may be written on other occasions than its first, too.
  if (part.key == "ACTION" && truth == Truth::No &&
      (fits(part.value, "change") || fits(part.value, "online") || fits(part.value, "offline")))
    truth = Truth::Perhaps;
  return part.op == "!=" ? negated(truth) : truth;
}

Truth holds(const Rule& rule, const model::Host& host) {
  Truth all = Truth::Yes;
  for (const Part& part : rule)
    if (part.matches()) all = std::min(all, holds(part, host));
  return all;
}

bool is_state_word(const std::string& value) {
  return value.starts_with("online") || value.starts_with("offline") || value.starts_with("$") ||
         value.starts_with("%");
}

bool writes_by_program(const Part& part) {
  const bool runs = part.key == "RUN" || part.key == "PROGRAM" ||
                    (part.key == "IMPORT" && part.attribute == "program");
  if (!runs) return false;
  static constexpr std::array<std::string_view, 5> kHints{"/state", "/online", "online_", "chmem",
                                                          "echo online"};
  return std::any_of(kHints.begin(), kHints.end(), [&](std::string_view hint) {
    return part.value.find(hint) != std::string::npos;
  });
}

void add_writes(const Rule& rule, std::vector<StateRule>& found) {
  for (const Part& part : rule) {
    const bool state = part.key == "ATTR" && part.attribute == "state" && is_state_word(part.value);
    const bool online = part.key == "ATTR" && part.attribute == "online";
    if ((state || online) && !part.matches())
      found.push_back({part.begin, part.end, part.value, false});
    else if (writes_by_program(part))
      found.push_back({part.begin, part.end, part.value, true});
  }
}

const Part* part_named(const Rule& rule, std::string_view key) {
  const auto at =
      std::find_if(rule.begin(), rule.end(), [&](const Part& part) { return part.key == key; });
  return at == rule.end() ? nullptr : &*at;
}

// Directories from the strongest down. /lib is a link to usr/lib nearly everywhere.
std::vector<std::string> directories(const Tree& root) {
  std::vector<std::string> found{"etc/udev/rules.d", "run/udev/rules.d",
                                 "usr/local/lib/udev/rules.d", "usr/lib/udev/rules.d"};
  if (!root.link("lib")) found.emplace_back("lib/udev/rules.d");
  return found;
}

// "/a/../b", or relative to the directory of the link, without ".."; empty: leads out of the tree.
std::string target_of(const std::string& link, const std::string& text) {
  std::string whole = text;
  if (!text.starts_with('/')) whole = link.substr(0, link.rfind('/') + 1) + text;
  std::vector<std::string> parts;
  for (std::string_view rest(whole); !rest.empty();) {
    const std::string_view part = take_until(rest, '/');
    if (part == ".." && parts.empty()) return {};
    if (part == "..")
      parts.pop_back();
    else if (!part.empty() && part != ".")
      parts.emplace_back(part);
  }
  std::string path;
  for (const std::string& part : parts) path += (path.empty() ? "" : "/") + part;
  return path;
}

}  // namespace

std::string read_through_links(const Tree& root, std::string path) {
  for (int hops = 0; hops < 8; ++hops) {
    const auto link = root.link(path.c_str());
    if (!link) return root.read(path.c_str()).value_or(std::string{});
    path = target_of(path, *link);
    if (path.starts_with("lib/") && root.link("lib")) path.insert(0, "usr/");
    if (path.empty() || path == "dev/null") return {};
  }
  return {};
}

std::vector<RulesFile> udev_rules(const Tree& root) {
  std::map<std::string, std::string> by_name;
  for (const std::string& directory : directories(root)) {
    const auto names = root.list(directory.c_str());
    if (!names) continue;
    for (const std::string& name : *names)
      if (name.ends_with(".rules")) by_name.emplace(name, fmt::format("{}/{}", directory, name));
  }
  std::vector<RulesFile> files;
  for (const auto& [name, path] : by_name)
    if (std::string text = read_through_links(root, path); !text.empty())
      files.push_back({path, std::move(text)});
  return files;
}

std::vector<StateRule> rules_for_blocks(std::string_view text, const model::Host& host) {
  std::vector<StateRule> found;
  // Jumps only lead forwards. One that is certain skips the rules up to its label, or up to that of
  // an earlier jump that may have been made.
  std::set<std::string> waiting;
  bool skipping = false;
  for (const Rule& rule : parse(text)) {
    const Part* label = part_named(rule, "LABEL");
    if (label != nullptr && waiting.erase(label->value) > 0) skipping = false;
    if (skipping) continue;
    const Truth truth = holds(rule, host);
    if (truth == Truth::No) continue;
    add_writes(rule, found);
    const Part* jump = part_named(rule, "GOTO");
    if (jump == nullptr) continue;
    waiting.insert(jump->value);
    skipping = truth == Truth::Yes;
  }
  return found;
}

}  // namespace memonline::runtime
