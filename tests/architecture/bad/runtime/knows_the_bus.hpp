// A room that looks where it must not, in a file without a license.
#pragma once
#include <string>

#include "dbus/service.hpp"

using Fixed = std::uint8_t;
