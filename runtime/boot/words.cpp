// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/boot/words.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include "runtime/base/space.hpp"

namespace memonline::boot {

namespace {

using runtime::is_space;

struct Piece {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// The positions of the kernel's words in a line.
std::vector<Piece> pieces_of(std::string_view line) {
  std::vector<Piece> pieces;
  for (std::size_t at = 0; at < line.size();) {
    if (is_space(line[at])) {
      ++at;
      continue;
    }
    const std::size_t begin = at;
    bool quoted = false;
    for (; at < line.size() && (quoted || !is_space(line[at])); ++at)
      if (line[at] == '"') quoted = !quoted;
    if (line.substr(begin, at - begin) == "--") break;
    pieces.push_back({begin, at});
  }
  return pieces;
}

std::string line_without(std::string line, const Words& gone) {
  std::vector<Piece> pieces = pieces_of(line);
  std::reverse(pieces.begin(), pieces.end());
  for (const Piece& piece : pieces) {
    if (!holds(gone, std::string_view(line).substr(piece.begin, piece.end - piece.begin))) continue;
    // One separator is removed with the word: the one before it, as it was added.
    Piece cut = piece;
    if (cut.begin > 0)
      --cut.begin;
    else if (cut.end < line.size())
      ++cut.end;
    line.erase(cut.begin, cut.end - cut.begin);
  }
  return line;
}

std::string line_with(std::string line, const Words& more) {
  const std::vector<Piece> pieces = pieces_of(line);
  const std::string text = joined(more);
  if (!pieces.empty()) return line.insert(pieces.back().end, " " + text);
  return line.empty() ? text : text + " " + line;
}

}  // namespace

Words words_of(std::string_view line) {
  Words words;
  for (const Piece& piece : pieces_of(line))
    words.emplace_back(line.substr(piece.begin, piece.end - piece.begin));
  return words;
}

std::string key_of(std::string_view word) {
  std::string key(word.substr(0, word.find('=')));
  key.erase(std::remove(key.begin(), key.end(), '"'), key.end());
  std::replace(key.begin(), key.end(), '-', '_');
  return key;
}

bool is_plain(std::string_view word) {
  constexpr std::string_view kSigns = "_.,:%=+-";
  return !word.empty() && word.front() != '-' && std::all_of(word.begin(), word.end(), [&](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           kSigns.find(c) != std::string_view::npos;
  });
}

bool is_memory_key(std::string_view key) {
  constexpr std::array<std::string_view, 4> kKeys{"kernelcore", "movablecore", "movable_node",
                                                  "memhp_default_state"};
  return std::find(kKeys.begin(), kKeys.end(), key) != kKeys.end() ||
         key.substr(0, 15) == "memory_hotplug.";
}

bool holds(const Words& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string joined(const Words& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::string edited(std::string_view text, const Words& gone, const Words& more) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  std::string* last = nullptr;
  for (std::string& line : lines) {
    if (!line.empty() && line.front() == '#') continue;
    line = line_without(std::move(line), gone);
    if (last == nullptr || !words_of(line).empty()) last = &line;
  }
  if (last == nullptr) last = &lines.emplace_back();
  if (!more.empty()) *last = line_with(std::move(*last), more);
  std::string result;
  for (std::size_t i = 0; i < lines.size(); ++i) result += (i == 0 ? "" : "\n") + lines[i];
  return result;
}

}  // namespace memonline::boot
