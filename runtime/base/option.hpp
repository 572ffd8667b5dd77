// SPDX-License-Identifier: LGPL-2.1-or-later
// The options of a command as a value: parsing, help, completion and errors all use the same table,
// so that they cannot drift apart.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace memonline::options {

/// What a shell offers as a value, besides its fixed words.
enum class Offers : std::uint8_t {
  Nothing,
  Files,
  Explainable,  ///< blocks, nodes and devices of the host, and the codes of diagnostics
  Removable,    ///< blocks and devices that `--unplug` takes
};

struct Option {
  char letter = '\0';                        ///< 'o' of -o; 0: none
  std::vector<std::string_view> names = {};  ///< without dashes; the first is its name in Given
  std::string_view value = {};               ///< "FILE"; empty: a flag
  std::string help = {};
  std::vector<std::string_view> words = {};  ///< the values there are; empty: any
  bool repeats = false;                      ///< may be given several times
  /// Whether the next word is the value of an option whose value is optional. Other options take
  /// the next word in any case.
  bool (*takes)(std::string_view word) = nullptr;
  bool may_be_empty = false;
  Offers offers = Offers::Nothing;
};

/// A word without a dash.
struct Operand {
  std::string_view name;  ///< "FILE"
  std::string_view help;
  std::vector<std::string_view> words = {};  ///< the values there are; empty: any
  bool required = false;
  bool repeats = false;
  Offers offers = Offers::Nothing;
};

}  // namespace memonline::options
