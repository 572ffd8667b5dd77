// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/sema/policy.hpp"

namespace memonline::sema {

bool is_zero(const Amount& amount) {
  if (const auto* percent = std::get_if<Percent>(&amount)) return percent->millionths == 0;
  if (const auto* blocks = std::get_if<Blocks>(&amount)) return blocks->count == 0;
  return std::get<model::Bytes>(amount).value() == 0;
}

std::string_view target_name(Target target) {
  switch (target) {
    case Target::Movable: return "movable";
    case Target::Normal: return "normal";
    case Target::Auto: return "auto";
    case Target::Offline: return "offline";
    case Target::Keep: return "keep";
  }
  return "keep";
}

}  // namespace memonline::sema
