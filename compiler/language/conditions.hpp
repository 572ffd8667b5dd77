// SPDX-License-Identifier: LGPL-2.1-or-later
// The words of conditions: facts of the host, and tests of them. The only list of them; what a fact
// may be compared with is in compiler/sema/facts.hpp.
#pragma once

#include <cstdint>

#include "compiler/base/names.hpp"

namespace memonline::language {

enum class Fact : std::uint8_t {
  Arch,
  Virtualization,
  Kernel,
  Memory,
  Nodes,
  Vendor,
  Product,
  Family
};
inline constexpr Names<Fact, 8> kFacts{{{Fact::Arch, "arch"},
                                        {Fact::Virtualization, "virtualization"},
                                        {Fact::Kernel, "kernel"},
                                        {Fact::Memory, "memory"},
                                        {Fact::Nodes, "nodes"},
                                        {Fact::Vendor, "vendor"},
                                        {Fact::Product, "product"},
                                        {Fact::Family, "family"}}};
static_assert(complete(kFacts, Fact::Family));

enum class Test : std::uint8_t { Is, IsNot, Less, LessEqual, Greater, GreaterEqual };
inline constexpr Names<Test, 6> kTests{{{Test::Is, "is"},
                                        {Test::IsNot, "is not"},
                                        {Test::Less, "<"},
                                        {Test::LessEqual, "<="},
                                        {Test::Greater, ">"},
                                        {Test::GreaterEqual, ">="}}};
static_assert(complete(kTests, Test::GreaterEqual));

}  // namespace memonline::language
