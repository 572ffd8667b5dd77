// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/boot/places.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace memonline::boot {

namespace {

constexpr std::string_view kDropInHead =
    "# Written by memonline; do not edit. \"memonline boot remove\" removes it.\n";
constexpr std::string_view kDropInBefore =
    "GRUB_CMDLINE_LINUX_DEFAULT="
    "\"${GRUB_CMDLINE_LINUX_DEFAULT:+$GRUB_CMDLINE_LINUX_DEFAULT }";

template <typename Function>
void for_each_line(std::string_view text, const Function& function) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    function(text.substr(at, end - at), at);
    at = end + 1;
  }
}

std::size_t first_letter(std::string_view line) {
  return std::min(line.find_first_not_of(" \t"), line.size());
}

/// Without the quotes around it; those inside stay.
Value unquoted(std::string_view line, std::size_t at) {
  if (at >= line.size() || (line[at] != '"' && line[at] != '\''))
    return {at, std::min(line.find_first_of(" \t", at), line.size()) - at};
  const std::size_t end = line.rfind(line[at]);
  return end > at ? Value{at + 1, end - at - 1} : Value{at + 1, line.size() - at - 1};
}

}  // namespace

Words drop_in_words(std::string_view text) {
  if (text.substr(0, kDropInHead.size()) != kDropInHead) return {};
  text.remove_prefix(kDropInHead.size());
  if (text.substr(0, kDropInBefore.size()) != kDropInBefore) return {};
  text.remove_prefix(kDropInBefore.size());
  return words_of(text.substr(0, text.find('"')));
}

std::string drop_in_text(const Words& words) {
  return std::string(kDropInHead) + std::string(kDropInBefore) + joined(words) + "\"\n";
}

Words grub_words(std::string_view text) {
  Words words;
  for_each_line(text, [&](std::string_view line, std::size_t) {
    line.remove_prefix(first_letter(line));
    for (const std::string_view name : {"GRUB_CMDLINE_LINUX_DEFAULT", "GRUB_CMDLINE_LINUX"}) {
      if (line.substr(0, name.size()) != name) continue;
      std::size_t at = name.size();
      if (at < line.size() && line[at] == '+') ++at;
      if (at >= line.size() || line[at] != '=') continue;
      const Value value = unquoted(line, at + 1);
      for (std::string& word : words_of(line.substr(value.begin, value.size)))
        words.push_back(std::move(word));
    }
  });
  return words;
}

std::vector<std::string> grub_entries(std::string_view text) {
  std::vector<std::string> lines;
  for_each_line(text, [&](std::string_view line, std::size_t) {
    line.remove_prefix(first_letter(line));
    const std::string_view word = line.substr(0, line.find_first_of(" \t"));
    if (word == "linux" || word == "linuxefi" || word == "linux16")
      lines.emplace_back(line.substr(word.size()));
  });
  return lines;
}

std::vector<std::string> entry_lines(const Root& root, std::string_view key) {
  std::vector<std::string> lines;
  for (const char* boot : {"/boot", "/efi", "/boot/efi"}) {
    const std::string directory = std::string(boot) + "/loader/entries";
    for (const std::string& name : root.list(directory)) {
      if (name.size() < 5 || name.substr(name.size() - 5) != ".conf") continue;
      const std::string text = root.read(fmt::format("{}/{}", directory, name)).value_or("");
      std::string all;
      bool found = false;
      // A key may occur more than once; the values are concatenated.
      for_each_line(text, [&](std::string_view line, std::size_t) {
        if (line.substr(0, key.size()) != key) return;
        line.remove_prefix(key.size());
        if (line.empty() || (line[0] != ' ' && line[0] != '\t')) return;
        all += line;
        found = true;
      });
      if (found) lines.push_back(std::move(all));
    }
  }
  return lines;
}

std::vector<Value> zipl_values(std::string_view text) {
  std::vector<Value> values;
  for_each_line(text, [&](std::string_view line, std::size_t start) {
    constexpr std::string_view kName = "parameters";
    std::size_t at = first_letter(line);
    if (line.substr(at, kName.size()) != kName) return;
    at += kName.size();
    at += first_letter(line.substr(at));
    if (at >= line.size() || line[at] != '=') return;
    ++at;
    at += first_letter(line.substr(at));
    Value value = unquoted(line, at);
    // Without quotes zipl takes the rest of the line.
    if (at < line.size() && line[at] != '"' && line[at] != '\'') value.size = line.size() - at;
    value.begin += start;
    values.push_back(value);
  });
  return values;
}

}  // namespace memonline::boot
