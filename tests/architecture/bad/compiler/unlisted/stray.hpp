// SPDX-License-Identifier: LGPL-2.1-or-later
// A folder that rooms.txt does not have.
#pragma once
