// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/syntax/target_words.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "compiler/syntax/grammar.hpp"
#include "compiler/text/similar.hpp"

namespace memonline::syntax {

namespace {

struct KernelWord {
  std::string_view word;
  std::string_view target;
};
/// The words of `state` and `auto_online_blocks`, and the names of zones.
constexpr std::array<KernelWord, 7> kKernelWords{{{"online_movable", "movable"},
                                                  {"online_kernel", "normal"},
                                                  {"kernel", "normal"},
                                                  {"online", "auto"},
                                                  {"off", "offline"},
                                                  {"zone_movable", "movable"},
                                                  {"zone_normal", "normal"}}};

const std::vector<std::string_view> kTargets{"movable", "normal", "auto", "offline", "keep"};
const std::vector<std::string_view> kShareStarts{"movable", "normal", "auto", "offline",
                                                 "keep",    "first",  "last", "rest"};

std::string_view meant(std::string_view word, const std::vector<std::string_view>& known) {
  for (const KernelWord& entry : kKernelWords)
    if (same_word(word, entry.word)) return entry.target;
  return most_similar(word, known);
}

}  // namespace

std::string_view meant_target(std::string_view word) { return meant(word, kTargets); }
std::string_view meant_target_or_place(std::string_view word) { return meant(word, kShareStarts); }

bool starts_share(std::string_view word) {
  return std::any_of(kShareStarts.begin(), kShareStarts.end(),
                     [&](std::string_view start) { return same_word(word, start); });
}

}  // namespace memonline::syntax
