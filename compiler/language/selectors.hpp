// SPDX-License-Identifier: LGPL-2.1-or-later
// The words that select memory, one row each. The only list of them; which blocks a word selects is
// in compiler/plan/select.cpp.
#pragma once

#include <array>
#include <cstdint>

#include "compiler/base/names.hpp"

namespace memonline::language {

/// "class": a class of memory.
enum class ClassWord : std::uint8_t {
  All,
  Boot,
  Hotplugged,
  Node,
  Cpuless,
  Dimm,
  VirtioMem,
  Standby,
  Dax,
  SystemRam,
  Driver,
  Block,
  Address,
};

/// What may follow a word.
enum class Takes : std::uint8_t {
  Nothing,
  NodeList,  ///< "0-3,5"; without it the word only makes groups
  DimmList,  ///< "0-3,5"; without it any
  BlockList,
  AddressRange,
  DaxName,     ///< "0.0" or "dax0.0"; without it any
  DriverName,  ///< "kmem"
};

/// The groups that `each` makes: one per node; one per DIMM, virtio-mem or dax device, driver.
enum class Each : std::uint8_t { None, Node, Device };

/// The kinds of devices: a block belongs to at most one of them.
enum class DeviceKind : std::uint8_t { None, Dimm, VirtioMem, Standby, Dax, Driver };

struct ClassRow {
  ClassWord is;
  std::string_view word;
  Takes takes;
  Each each = Each::None;                ///< the groups of `each WORD`; None: it makes none
  DeviceKind device = DeviceKind::None;  ///< all of its blocks belong to such a device
  bool apart = false;                    ///< written with a blank before what follows: `block 32`
};
inline constexpr std::array<ClassRow, 13> kClassRows{{
    {ClassWord::All, "all", Takes::Nothing},
    {ClassWord::Boot, "boot", Takes::Nothing},
    {ClassWord::Hotplugged, "hotplugged", Takes::Nothing},
    {ClassWord::Node, "node", Takes::NodeList, Each::Node},
    {ClassWord::Cpuless, "cpuless", Takes::Nothing},
    {ClassWord::Dimm, "dimm", Takes::DimmList, Each::Device, DeviceKind::Dimm},
    {ClassWord::VirtioMem, "virtio-mem", Takes::Nothing, Each::Device, DeviceKind::VirtioMem},
    {ClassWord::Standby, "standby", Takes::Nothing, Each::None, DeviceKind::Standby},
    {ClassWord::Dax, "dax", Takes::DaxName, Each::Device, DeviceKind::Dax},
    {ClassWord::SystemRam, "system-ram", Takes::Nothing, Each::None, DeviceKind::Dax},
    {ClassWord::Driver, "driver", Takes::DriverName, Each::Device, DeviceKind::Driver, true},
    {ClassWord::Block, "block", Takes::BlockList, Each::None, DeviceKind::None, true},
    {ClassWord::Address, "address", Takes::AddressRange, Each::None, DeviceKind::None, true},
}};

inline constexpr auto kClasses = [] {
  Names<ClassWord, kClassRows.size()> names;
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = {kClassRows[i].is, kClassRows[i].word};
  return names;
}();
static_assert(complete(kClasses, ClassWord::Address));

constexpr const ClassRow& row_of(ClassWord word) {
  return kClassRows[static_cast<std::size_t>(word)];
}

}  // namespace memonline::language
