// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/syntax/target_words.hpp"

#include <vector>

#include "compiler/language/targets.hpp"
#include "compiler/syntax/vocabulary.hpp"
#include "compiler/text/similar.hpp"

namespace memonline::syntax {

namespace {

std::vector<std::string_view> targets_and_places() {
  std::vector<std::string_view> words = names_of(language::kTargets);
  for (const std::string_view place : names_of(language::kPlaces)) words.push_back(place);
  return words;
}

std::string_view meant(std::string_view word, const std::vector<std::string_view>& known) {
  auto target = in_any_case(language::kKernelWords, word);
  if (!target) target = in_any_case(language::kStates, word);
  return target ? name_in(language::kTargets, *target) : most_similar(word, known);
}

}  // namespace

std::string_view meant_target(std::string_view word) {
  return meant(word, names_of(language::kTargets));
}
std::string_view meant_target_or_place(std::string_view word) {
  return meant(word, targets_and_places());
}

bool is_target_word(std::string_view word) {
  return in_any_case(language::kTargets, word).has_value();
}
bool is_place_word(std::string_view word) {
  return in_any_case(language::kPlaces, word).has_value();
}
bool starts_share(std::string_view word) { return is_target_word(word) || is_place_word(word); }

}  // namespace memonline::syntax
