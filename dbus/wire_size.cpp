// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dbus/wire_size.hpp"

#include <cstdint>
#include <stdexcept>

#include "dbus/convert.hpp"

namespace memonline::bus {

std::size_t wire_size(const sdbus::Variant& value) {
  const std::string type(value.peekValueType());
  const std::size_t head = type.size() + 8;
  if (type.size() == 1 && type != "s") return head + 8;
  if (type == "s") return head + wire_size(value.get<std::string>());
  if (type == "as") return head + wire_size(value.get<std::vector<std::string>>());
  if (type == "at") return head + wire_size(value.get<std::vector<std::uint64_t>>());
  if (type == "a{sv}") return head + wire_size(value.get<Dict>());
  if (type == "aa{sv}") return head + wire_size(value.get<std::vector<Dict>>());
  if (type == "a(ttis)") return head + wire_size(value.get<std::vector<FailingRow>>());
  throw std::logic_error("unknown size of a value of type `" + type + "`");
}

}  // namespace memonline::bus
