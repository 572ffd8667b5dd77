// SPDX-License-Identifier: LGPL-2.1-or-later
// SHA-256 by libmd: small, kept well in Debian, and no cryptographic library to start up.
#include "runtime/base/digest.hpp"

#include <array>
#include <cstdint>

#include <sha2.h>
#include <sys/types.h>

namespace memonline::runtime {

std::string sha256_of(std::string_view bytes) {
  SHA2_CTX context;
  SHA256Init(&context);
  SHA256Update(&context, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest{};
  SHA256Final(digest.data(), &context);
  std::string text = "sha256:";
  text.reserve(text.size() + 2 * digest.size());
  for (const std::uint8_t byte : digest) {
    text += "0123456789abcdef"[byte >> 4U];
    text += "0123456789abcdef"[byte & 0xFU];
  }
  return text;
}

}  // namespace memonline::runtime
