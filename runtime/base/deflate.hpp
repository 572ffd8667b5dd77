// SPDX-License-Identifier: LGPL-2.1-or-later
// Texts in the zlib format (RFC 1950): plans are repetitive, and shrink to a twentieth of their
// size. zlib is loaded when it is needed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "compiler/base/result.hpp"

namespace memonline::runtime {

enum class DeflateError : std::uint8_t {
  NoLibrary,  ///< libz.so.1 is not installed
  Damaged,    ///< not a complete zlib stream, or followed by other bytes
  TooLong,    ///< the text is longer than it may be
};
/// For people.
std::string_view message_of(DeflateError error);

Result<std::string, DeflateError> deflate(const std::string& text);
/// Stops at `most` bytes, whatever the stream would come to.
Result<std::string, DeflateError> inflate(std::string_view stream, std::size_t most);

}  // namespace memonline::runtime
