// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/host/udev_rules.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "runtime/host/text.hpp"

namespace memonline::runtime {

namespace {

// A rule continues after a backslash at the end of a line, and comments in between are not part of
// it. Blanks replace both, so that every byte keeps its place.
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

std::optional<UdevPart> part_at(std::string_view line, std::size_t& at) {
  UdevPart part;
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
  bool any_case = false;
  for (; at < line.size() && (line[at] == 'e' || line[at] == 'i'); ++at)  // e"..." and i"..."
    any_case = any_case || line[at] == 'i';
  if (part.op.empty() || at >= line.size() || line[at] != '"') return std::nullopt;
  for (++at; at < line.size() && line[at] != '"'; ++at) {
    if (line[at] == '\\' && at + 1 < line.size() && line[at + 1] == '"') ++at;
    part.value += line[at];
  }
  if (at >= line.size()) return std::nullopt;
  // The kernel's own names for what is compared are in lower case.
  if (any_case && (part.key == "SUBSYSTEM" || part.key == "ACTION" || part.key == "KERNEL"))
    std::transform(part.value.begin(), part.value.end(), part.value.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  part.end = ++at;
  return part;
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

std::vector<UdevRule> parse_udev_rules(std::string_view text) {
  const std::string flat = one_line_a_rule(text);
  std::vector<UdevRule> rules;
  for (std::size_t start = 0; start < flat.size();) {
    const std::size_t end = std::min(flat.find('\n', start), flat.size());
    const std::string_view line = std::string_view(flat).substr(start, end - start);
    UdevRule rule;
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

}  // namespace memonline::runtime
