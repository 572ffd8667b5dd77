// A room that looks where it must not, in a file without a licence.
#pragma once
#include "dbus/service.hpp"

#include <string>

using Fixed = std::uint8_t;
