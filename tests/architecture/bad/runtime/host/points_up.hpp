// SPDX-License-Identifier: LGPL-2.1-or-later
// The same in another room.
#pragma once

#include "runtime/service/service.hpp"
