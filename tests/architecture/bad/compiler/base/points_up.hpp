// SPDX-License-Identifier: LGPL-2.1-or-later
// A folder that looks at one above it.
#pragma once

#include "compiler/plan/plan.hpp"
