// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/base/deflate.hpp"

#include <string>

#include "tests/support/catch.hpp"

namespace memonline {

using runtime::deflate;
using runtime::DeflateError;
using runtime::inflate;

TEST_CASE("deflate: what was compressed comes back, whatever its length") {
  for (const std::size_t length : {0U, 1U, 32768U, 32769U, 1000000U}) {
    std::string text;
    for (std::size_t i = 0; text.size() < length; ++i) text += std::to_string(i) + "\n";
    text.resize(length);
    const auto stream = deflate(text);
    REQUIRE(stream);
    CHECK(inflate(*stream, length) == text);
    if (length > 0) CHECK(inflate(*stream, length - 1).error() == DeflateError::TooLong);
  }
}

TEST_CASE("deflate: a stream that comes to far more than may be is left in time") {
  const auto stream = deflate(std::string(std::size_t{64} << 20U, ' '));
  REQUIRE(stream);
  CHECK(stream->size() < 70000);
  CHECK(inflate(*stream, std::size_t{16} << 20U).error() == DeflateError::TooLong);
}

TEST_CASE("deflate: anything but one whole stream is refused") {
  const auto stream = deflate("a plan");
  REQUIRE(stream);
  CHECK(inflate("", 100).error() == DeflateError::Damaged);
  CHECK(inflate("a plan", 100).error() == DeflateError::Damaged);
  CHECK(inflate(stream->substr(0, stream->size() - 1), 100).error() == DeflateError::Damaged);
  CHECK(inflate(*stream + "x", 100).error() == DeflateError::Damaged);
  std::string wrong = *stream;
  wrong.back() = static_cast<char>(wrong.back() ^ 1);  // of its checksum
  CHECK(inflate(wrong, 100).error() == DeflateError::Damaged);
}

}  // namespace memonline
