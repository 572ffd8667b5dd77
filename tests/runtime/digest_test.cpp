// SPDX-License-Identifier: LGPL-2.1-or-later
// The digest against the examples of FIPS 180-2.
#include "runtime/base/digest.hpp"

#include "tests/support/catch.hpp"

using memonline::runtime::sha256_of;

TEST_CASE("digest: agrees with the published examples") {
  CHECK(sha256_of("") == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_of("abc") ==
        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
