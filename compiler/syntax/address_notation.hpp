// SPDX-License-Identifier: LGPL-2.1-or-later
// Address ranges as people and other tools write them: `4G-8G`, `0x100000000..0x1ffffffff`,
// `100000000-13fffffff`.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "compiler/syntax/pieces.hpp"

namespace memonline::syntax {

struct AddressNotation {
  std::string text;        ///< "0x100000000-0x1ffffffff"; empty where it could be another number
  bool canonical = false;  ///< written so already
};

/// The range that starts at piece `at` of the first `count`; `at` is then behind it. Empty: it is
/// not a range.
std::optional<AddressNotation> address_range_at(const std::vector<Piece>& pieces, std::size_t count,
                                                std::size_t& at);

}  // namespace memonline::syntax
