// SPDX-License-Identifier: LGPL-2.1-or-later
// The settings, one row each: the word, and its values. The first value is the default. The only
// list of them: a policy's settings (compiler/sema/settings.hpp), their words and their messages
// follow from it. What a value does is in compiler/plan.
#pragma once

#include <array>
#include <cstdint>
#include <tuple>
#include <variant>

#include "compiler/base/names.hpp"

namespace memonline::language {

enum class Rezone : std::uint8_t { Never, Allowed };
enum class Hotplug : std::uint8_t { Best, Kernel, Service };
enum class MemmapOnMemory : std::uint8_t { Leave, On, Off, Force };
enum class BootParameters : std::uint8_t { Suggest, Write, Ignore };

template <class Enum, std::size_t N>
struct SettingRow {
  using Value = Enum;
  std::string_view word;
  Enum last;  ///< of `values`, so that none is forgotten
  Names<Enum, N> values;
};

inline constexpr std::tuple kSettings{
    SettingRow<Rezone, 2>{
        "rezone", Rezone::Allowed, {{{Rezone::Never, "never"}, {Rezone::Allowed, "allowed"}}}},
    SettingRow<Hotplug, 3>{
        "hotplug",
        Hotplug::Service,
        {{{Hotplug::Best, "best"}, {Hotplug::Kernel, "kernel"}, {Hotplug::Service, "service"}}}},
    SettingRow<MemmapOnMemory, 4>{"memmap-on-memory",
                                  MemmapOnMemory::Force,
                                  {{{MemmapOnMemory::Leave, "leave"},
                                    {MemmapOnMemory::On, "on"},
                                    {MemmapOnMemory::Off, "off"},
                                    {MemmapOnMemory::Force, "force"}}}},
    SettingRow<BootParameters, 3>{"boot-parameters",
                                  BootParameters::Ignore,
                                  {{{BootParameters::Suggest, "suggest"},
                                    {BootParameters::Write, "write"},
                                    {BootParameters::Ignore, "ignore"}}}},
};

/// `use(row)` for each setting.
template <class Use>
constexpr void for_each_setting(const Use& use) {
  std::apply([&](const auto&... row) { (use(row), ...); }, kSettings);
}

/// The words, with the place of each in the list.
inline constexpr auto kSettingWords = [] {
  Names<std::size_t, std::tuple_size_v<decltype(kSettings)>> names;
  std::size_t at = 0;
  for_each_setting([&](const auto& row) {
    names[at] = {at, row.word};
    ++at;
  });
  return names;
}();

template <class... Row>
std::variant<typename Row::Value...> any_value(const std::tuple<Row...>&);
/// A value of any setting.
using SettingValue = decltype(any_value(kSettings));

static_assert([] {
  bool all = true;
  for_each_setting([&](const auto& row) { all = all && complete(row.values, row.last); });
  return all;
}());

}  // namespace memonline::language
