// SPDX-License-Identifier: LGPL-2.1-or-later
// The location of a value in a JSON text: the JSON library reports values only; messages need both.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace memonline::apply {

/// One step into a document: a member of an object, or, with an empty name, an item of a list.
struct JsonStep {
  std::string member;
  std::size_t item = 0;
};
using JsonPath = std::vector<JsonStep>;

/// "steps[3].blocks[0]"; "the document" for the empty path.
std::string text_of(const JsonPath& path);

struct JsonPlace {
  std::size_t begin = 0;
  std::size_t end = 0;
};
/// Bytes of the value at `path`, or of the innermost one on the way that exists. `json` must be
/// valid JSON. Of members of one name the last counts, as for the library.
JsonPlace place_of(std::string_view json, const JsonPath& path);

}  // namespace memonline::apply
