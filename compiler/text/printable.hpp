// SPDX-License-Identifier: LGPL-2.1-or-later
// Names that come from outside (paths, devices, words of a command line), made safe to print: a
// terminal obeys control characters, wherever they come from.
#pragma once

#include <string>
#include <string_view>

namespace memonline {

/// `text` on one line: control characters, bytes that are not UTF-8, and what would change the
/// direction of text become `\xNN`, one for each byte. Everything else stays, backslashes included,
/// so that doing it twice changes nothing more. The control characters in `keep` stay, too.
std::string printable(std::string_view text, std::string_view keep = {});

}  // namespace memonline
