// SPDX-License-Identifier: LGPL-2.1-or-later
// memonline map: memory as a picture.
#include <algorithm>

#include <unistd.h>

#include "compiler/diag/render.hpp"
#include "compiler/render/map.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cli/inputs.hpp"
#include "runtime/cli/output.hpp"

namespace memonline::cli {

namespace {

/// Beside the bars stand the devices and their sizes.
constexpr std::size_t kBeside = 26, kNarrowest = 16, kWidest = 128;

Format format_of(const MapOptions& options) {
  if (options.format) return *options.format;
  if (ends_with(options.output, ".svg")) return Format::Svg;
  return ends_with(options.output, ".html") ? Format::Html : Format::Text;
}

render::MapStyle style_of(const MapOptions& options, ColorChoice color) {
  render::MapStyle style;
  const bool to_file = !options.output.empty() && options.output != "-";
  style.color = to_file ? color == ColorChoice::Always : colour_output(color);
  const auto width = to_file ? std::nullopt : terminal_width(STDOUT_FILENO);
  if (width)
    style.columns = std::clamp(*width > kBeside ? *width - kBeside : 0, kNarrowest, kWidest);
  return style;
}

}  // namespace

ExitStatus run(const MapOptions& options, ColorChoice color) {
  const Format format = format_of(options);
  diag::Sink sink;
  const auto host = load_host_with_blocks(options.where, sink);
  if (!host) return report(sink, {}, Format::Text, color, ExitStatus::Failure);
  std::string picture;
  if (format == Format::Svg)
    picture = render::map_to_svg(*host);
  else if (format == Format::Html)
    picture = render::map_to_html(*host);
  else
    picture = render::map_to_text(*host, style_of(options, color));
  return print_to(options.output, picture);
}

}  // namespace memonline::cli
