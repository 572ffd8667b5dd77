// SPDX-License-Identifier: LGPL-2.1-or-later
// The size of a value on the bus, before it becomes a message: a message beyond the bus's limit
// (32 MiB on a system bus) would cost the service its connection.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include "dbus/compat.hpp"

namespace memonline::bus {

/// The longest reply that is sent.
inline constexpr std::size_t kMaxReply = std::size_t{16} << 20U;

/// An upper bound, including padding. Throws std::logic_error for a variant of a type that no reply
/// of this service has.
std::size_t wire_size(const sdbus::Variant& value);
inline std::size_t wire_size(const std::string& text) { return text.size() + 8; }
inline std::size_t wire_size(const sdbus::UnixFd&) { return 8; }
template <class Number, std::enable_if_t<std::is_arithmetic_v<Number>, int> = 0>
std::size_t wire_size(Number) {
  return 8;
}
template <class Item>
std::size_t wire_size(const std::vector<Item>& list);
template <class Key, class Value>
std::size_t wire_size(const std::map<Key, Value>& dictionary);
template <class... Members>
std::size_t wire_size(const sdbus::Struct<Members...>& structure);

template <class Item>
std::size_t wire_size(const std::vector<Item>& list) {
  std::size_t size = 8;
  for (const Item& item : list) size += wire_size(item);
  return size;
}
template <class Key, class Value>
std::size_t wire_size(const std::map<Key, Value>& dictionary) {
  std::size_t size = 8;
  for (const auto& [key, value] : dictionary) size += 8 + wire_size(key) + wire_size(value);
  return size;
}
template <class... Members>
std::size_t wire_size(const sdbus::Struct<Members...>& structure) {
  return std::apply(
      [](const Members&... members) { return (std::size_t{8} + ... + wire_size(members)); },
      static_cast<const std::tuple<Members...>&>(structure));
}

}  // namespace memonline::bus
