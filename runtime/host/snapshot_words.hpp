// SPDX-License-Identifier: LGPL-2.1-or-later
// The words of a snapshot, in one place for the writer and the reader.
//
// The schema's number changes when an older program would misread a snapshot: programs refuse other
// numbers, and name both. Members are added without that; programs ignore those that they do not
// know, and a fact that an older snapshot lacks is unknown.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "compiler/model/host.hpp"

namespace memonline::runtime {

inline constexpr std::string_view kSnapshotSchema = "memonline.host/1";

using DeviceKind = model::Device::Kind;
using ZonesKind = model::ValidZones::Kind;

inline constexpr std::array<std::pair<std::string_view, DeviceKind>, 8> kDeviceKinds{
    {{"boot", DeviceKind::Boot},
     {"dimm", DeviceKind::Dimm},
     {"virtio-mem", DeviceKind::VirtioMem},
     {"dax", DeviceKind::Dax},
     {"driver", DeviceKind::Driver},
     {"standby", DeviceKind::Standby},
     {"none", DeviceKind::None},
     {"unknown", DeviceKind::Unknown}}};

inline constexpr std::array<std::pair<std::string_view, model::Origin>, 3> kOrigins{
    {{"boot", model::Origin::Boot},
     {"hotplugged", model::Origin::Hotplugged},
     {"unknown", model::Origin::Unknown}}};

inline constexpr std::array<std::pair<std::string_view, ZonesKind>, 3> kZonesKinds{
    {{"unknown", ZonesKind::Unknown}, {"empty", ZonesKind::Empty}, {"none", ZonesKind::None}}};

inline constexpr std::array<std::pair<std::string_view, model::State>, 4> kStates{
    {{"online", model::State::Online},
     {"offline", model::State::Offline},
     {"going-offline", model::State::GoingOffline},
     {"unknown", model::State::Unknown}}};

inline constexpr std::array<std::pair<std::string_view, std::optional<bool> model::EraFacts::*>, 8>
    kFacts{{{"online_policy", &model::EraFacts::online_policy},
            {"valid_zones", &model::EraFacts::valid_zones},
            {"auto_online_blocks", &model::EraFacts::auto_online_blocks},
            {"foll_pin", &model::EraFacts::foll_pin},
            {"swap_ra", &model::EraFacts::swap_ra},
            {"kreclaimable", &model::EraFacts::kreclaimable},
            {"empty_zones_listed", &model::EraFacts::empty_zones_listed},
            {"memmap_pages", &model::EraFacts::memmap_pages}}};

using AgentKind = model::OnliningAgent::Kind;
inline constexpr std::array<std::pair<std::string_view, AgentKind>, 5> kAgentKinds{
    {{"udev-rule", AgentKind::UdevRule},
     {"udev-program", AgentKind::UdevProgram},
     {"boot-parameter", AgentKind::BootParameter},
     {"boot-default", AgentKind::BootDefault},
     {"daxctl", AgentKind::Daxctl}}};
inline constexpr std::array<std::pair<std::string_view, bool model::RuledOut::*>, 3> kRuledOut{
    {{"dimm", &model::RuledOut::dimm},
     {"virtio-mem", &model::RuledOut::virtio_mem},
     {"dax", &model::RuledOut::dax}}};

template <class Table, class Value>
constexpr std::string_view word_of(const Table& table, Value value) {
  for (const auto& [word, meaning] : table)
    if (meaning == value) return word;
  return "unknown";
}

template <class Table>
constexpr auto meaning_of(const Table& table, std::string_view word)
    -> std::optional<typename Table::value_type::second_type> {
  for (const auto& [known, meaning] : table)
    if (known == word) return meaning;
  return std::nullopt;
}

}  // namespace memonline::runtime
