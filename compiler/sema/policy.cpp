// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/sema/policy.hpp"

namespace memonline::sema {

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
