// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/sema/policy.hpp"

#include "compiler/base/overloaded.hpp"

namespace memonline::sema {

bool is_zero(const Amount& amount) {
  if (const auto* percent = std::get_if<Percent>(&amount)) return percent->millionths == 0;
  if (const auto* blocks = std::get_if<Blocks>(&amount)) return blocks->count == 0;
  return std::get<model::Bytes>(amount) == model::Bytes(0);
}

ClassWord word_of(const Class& one) {
  return std::visit(
      overloaded{[](ClassWord word) { return word; }, [](const auto& with) { return with.kWord; }},
      one.is);
}

bool is_word(const Class& one, ClassWord word) {
  const auto* alone = std::get_if<ClassWord>(&one.is);
  return alone != nullptr && *alone == word;
}

}  // namespace memonline::sema
