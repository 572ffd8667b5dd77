// SPDX-License-Identifier: LGPL-2.1-or-later
// Numbers as policies write them, without floating point: 12.5% and 1.5GiB are exact.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "compiler/diag/diagnostic.hpp"
#include "compiler/sema/policy.hpp"
#include "compiler/syntax/ast.hpp"

namespace memonline::sema {

enum class NumberFault : std::uint8_t {
  None,
  NotANumber,  ///< other than digits with at most one point between them
  TooLarge,    ///< does not fit into 64 bits
  TooFine,     ///< more decimals than the scale can hold
};
struct Number {
  std::uint64_t value = 0;
  NumberFault fault = NumberFault::None;
};

/// `text` times `scale`, rounded down; `exact` makes what rounding would lose a fault.
Number scaled_number(std::string_view text, std::uint64_t scale, bool exact);

/// "42", or with a leading 0x "0x100000000".
Number whole_number(std::string_view text);

/// Bytes of one KiB (or K), MiB, GiB, TiB; empty: an unknown unit.
std::optional<std::uint64_t> unit_size(std::string_view unit);

/// A number without its unit, as what could be meant: "`80%`, `80GiB` or `80 blocks`". `relative`
/// is "%" for a share, "x" for a limit.
std::string examples_for(std::string_view number, std::string_view relative);

/// The amount in front of a target or of a limit, checked; empty if it was reported.
std::optional<Amount> read_amount(const ast::Amount& amount, diag::Sink& sink);
/// A size such as "64GiB"; empty if it was reported.
std::optional<model::Bytes> read_size(const ast::Amount& amount, diag::Sink& sink);
/// Reports what is wrong with a number; true if nothing is.
bool check_number(const ast::Word& word, NumberFault fault, diag::Sink& sink);

}  // namespace memonline::sema
