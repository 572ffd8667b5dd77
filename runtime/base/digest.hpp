// SPDX-License-Identifier: LGPL-2.1-or-later
// Digests as the project writes them: the name of the algorithm, a colon, lower-case hex. Used for
// the fingerprint of a host and for the policies an audit names.
#pragma once

#include <string>
#include <string_view>

namespace memonline::runtime {

/// "sha256:" and the 64 hexadecimal digits of the SHA-256 of the bytes.
std::string sha256_of(std::string_view bytes);

}  // namespace memonline::runtime
