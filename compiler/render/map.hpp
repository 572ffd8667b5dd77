// SPDX-License-Identifier: LGPL-2.1-or-later
// Memory as a picture drawn to scale: a row for each device of each node, along the addresses.
#pragma once

#include <cstdint>
#include <string>

#include "compiler/model/host.hpp"
#include "compiler/plan/plan.hpp"

namespace memonline::render {

struct MapStyle {
  std::size_t columns = 64;  ///< of the longest row
  bool color = false;        ///< with the escape sequences of a terminal
};
/// For a terminal: one character per block or per equal number of blocks, and a legend.
std::string map_to_text(const model::Host& host, const MapStyle& style);

/// One SVG document, light or dark as its reader is. A bar of a row is as long as the memory is
/// large; hovering over a part names its blocks. With `after` each row is there twice, as it is and
/// as it will be. Its size goes by devices and runs, never by blocks.
std::string map_to_svg(const model::Host& host, const model::Host* after = nullptr);
/// The same picture as one HTML page, with a table of the runs below it.
std::string map_to_html(const model::Host& host);

/// The host with the steps of a plan for it carried out.
model::Host carried_out(const plan::Plan& plan, const model::Host& host);

}  // namespace memonline::render
