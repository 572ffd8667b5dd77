// SPDX-License-Identifier: LGPL-2.1-or-later
// Catch2, whichever major version is installed: 2.13 (Debian 12) or 3 (Debian 13).
#pragma once

#if __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/catch_message.hpp>
#include <catch2/catch_test_macros.hpp>
#else
#include <catch2/catch.hpp>
#endif
