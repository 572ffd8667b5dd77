// SPDX-License-Identifier: LGPL-2.1-or-later
// Texts that come from outside (paths, devices, words of a command line), made safe to print, and
// bounded: a terminal obeys control characters, wherever they come from.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace memonline {

/// `text` on one line: control characters, bytes that are not UTF-8, and what would change the
/// direction of text become `\xNN`, one for each byte. Everything else stays, backslashes included,
/// so that doing it twice changes nothing more. The control characters in `keep` stay, too.
std::string printable(std::string_view text, std::string_view keep = {});

/// `text`, or its beginning and an ellipsis: at most `most` bytes in all, cut between characters.
/// `most` is at least the three bytes of the ellipsis. For text that is repeated elsewhere than
/// where it was written.
std::string shortened(std::string_view text, std::size_t most);

}  // namespace memonline
