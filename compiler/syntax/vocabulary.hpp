// SPDX-License-Identifier: LGPL-2.1-or-later
// The words of the language by the place they have in a statement, in any case, from the tables in
// compiler/language. Targets and places are in target_words.hpp; what the words mean is sema's.
#pragma once

#include <optional>
#include <string_view>

#include "compiler/base/names.hpp"
#include "compiler/language/selectors.hpp"
#include "compiler/syntax/grammar.hpp"

namespace memonline::syntax {

template <class Enum, std::size_t N>
std::optional<Enum> in_any_case(const Names<Enum, N>& names, std::string_view word) {
  for (const auto& [value, name] : names)
    if (same_word(word, name)) return value;
  return std::nullopt;
}

/// "node", "virtio-mem": without its numbers.
bool is_class_word(std::string_view word);
/// Null: it is none.
const language::ClassRow* class_row(std::string_view word);
/// A class word, or written nearly so.
bool resembles_class(std::string_view word);
/// "node", "dimm", "block": what a list of numbers may follow.
bool takes_list(std::string_view word);
/// "driver", "block", "address": written with a blank before what follows.
bool is_apart(std::string_view word);
/// "limit", "set", "when", "else", "each".
bool starts_statement(std::string_view word);
/// "rezone", "hotplug".
bool is_setting_word(std::string_view word);
/// "kernelcore", "auto_online_blocks": parameters and settings of the kernel, which no statement
/// of the language names.
bool is_kernel_word(std::string_view word);
/// The unit meant: "GiB" for "GiB", "G", "GB" and "gib"; empty where none is.
std::string_view unit_of(std::string_view word);

}  // namespace memonline::syntax
