// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/syntax/vocabulary.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "compiler/syntax/kernel_words.hpp"
#include "compiler/syntax/place.hpp"
#include "compiler/text/similar.hpp"

namespace memonline::syntax {

namespace {

constexpr std::array<std::string_view, 11> kClasses{"all",     "boot",  "hotplugged", "node",
                                                    "cpuless", "dimm",  "virtio-mem", "dax",
                                                    "driver",  "block", "address"};

}  // namespace

bool is_class_word(std::string_view word) {
  return std::any_of(kClasses.begin(), kClasses.end(),
                     [&](std::string_view name) { return is_one_of(word, {name}); });
}

bool resembles_class(std::string_view word) {
  return !most_similar(word, {kClasses.begin(), kClasses.end()}).empty();
}

bool takes_list(std::string_view word) { return is_one_of(word, {"node", "dimm", "block"}); }

bool starts_statement(std::string_view word) {
  return is_one_of(word, {"limit", "set", "when", "else", "each"});
}

bool is_setting_word(std::string_view word) {
  return is_one_of(word, {"rezone", "hotplug", "memmap-on-memory", "boot-parameters"});
}

bool is_kernel_word(std::string_view word) { return kernel_word_of(word).has_value(); }

std::string_view unit_of(std::string_view word) {
  constexpr std::array<std::string_view, 4> kUnits{"KiB", "MiB", "GiB", "TiB"};
  if (is_one_of(word, {"percent", "pct"})) return "%";
  if (is_one_of(word, {"block", "blocks"})) return "blocks";
  for (const std::string_view unit : kUnits) {
    const std::string letter(1, static_cast<char>(unit[0] - 'A' + 'a'));
    for (const char* tail : {"", "b", "ib", "ibs", "bs", "i", "byte", "bytes", "ibyte", "ibytes"})
      if (is_one_of(word, {letter + tail})) return unit;
  }
  return {};
}

}  // namespace memonline::syntax
