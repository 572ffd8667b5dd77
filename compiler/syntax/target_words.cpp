// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/syntax/target_words.hpp"

#include <array>

#include "compiler/base/similar.hpp"
#include "compiler/syntax/grammar.hpp"

namespace memonline::syntax {

namespace {

struct KernelWord {
  std::string_view word;
  std::string_view target;
};
/// What `state` and `auto_online_blocks` take, and how zones are called.
constexpr std::array<KernelWord, 6> kKernelWords{{{"online_movable", "movable"},
                                                  {"online_kernel", "normal"},
                                                  {"kernel", "normal"},
                                                  {"online", "auto"},
                                                  {"zone_movable", "movable"},
                                                  {"zone_normal", "normal"}}};

}  // namespace

const std::vector<std::string_view>& target_words() {
  static const std::vector<std::string_view> words{"movable", "normal", "auto", "offline", "keep"};
  return words;
}

std::string_view meant_target(std::string_view word) {
  for (const KernelWord& entry : kKernelWords)
    if (same_word(word, entry.word)) return entry.target;
  return most_similar(word, target_words());
}

}  // namespace memonline::syntax
