// SPDX-License-Identifier: LGPL-2.1-or-later
// One statement in canonical spelling, on one line, without its end.
#pragma once

#include <string>

#include "compiler/syntax/ast.hpp"

namespace memonline::syntax {

std::string print(const ast::Rule& node);
std::string print(const ast::Limit& node);
std::string print(const ast::Setting& node);
std::string print(const ast::Condition& node);

}  // namespace memonline::syntax
