// SPDX-License-Identifier: LGPL-2.1-or-later
// Catch2, whichever major version is installed: 2.13 (Debian 12) or 3 (Debian 13). Version 2 has
// one header; version 3 has a header for each part, and those that the tests use are listed here.
#pragma once

#if __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/catch_message.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#else
#include <catch2/catch.hpp>
#endif
