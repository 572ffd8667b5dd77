// SPDX-License-Identifier: LGPL-2.1-or-later
// memonline map: memory as a picture.
#include <algorithm>
#include <utility>

#include <unistd.h>

#include "compiler/diag/render.hpp"
#include "compiler/render/map.hpp"
#include "runtime/cli/command_options.hpp"
#include "runtime/cli/inputs.hpp"
#include "runtime/cli/output.hpp"

namespace memonline::cli {

namespace {

struct MapOptions {
  Where where;                   ///< without policies
  Format format = Format::Text;  ///< Text, Svg or Html
  std::string output;
};

/// The width of the devices and sizes beside the bars.
constexpr std::size_t kBeside = 26, kNarrowest = 16, kWidest = 128;

render::MapStyle style_of(const MapOptions& options, ColorChoice color) {
  render::MapStyle style;
  const bool to_file = !options.output.empty();
  style.color = to_file ? color == ColorChoice::Always : color_output(color);
  const auto width = to_file ? std::nullopt : terminal_width(STDOUT_FILENO);
  if (width)
    style.columns = std::clamp(*width > kBeside ? *width - kBeside : 0, kNarrowest, kWidest);
  return style;
}

ExitStatus run(const MapOptions& options, ColorChoice color) {
  diag::Sink sink;
  const auto host = load_host_with_blocks(options.where, sink);
  if (!host) return report(sink, {}, Format::Text, color, ExitStatus::Failure);
  std::string picture;
  if (options.format == Format::Svg)
    picture = render::map_to_svg(*host);
  else if (options.format == Format::Html)
    picture = render::map_to_html(*host);
  else
    picture = render::map_to_text(*host, style_of(options, color));
  return print_to(options.output, picture);
}

constexpr auto kFormats = {Format::Text, Format::Svg, Format::Html};

CommandResult run_given(const Given& given, ColorChoice color) {
  const auto where = where_of(given, true);
  if (!where) return fail(where.error());
  const auto form = form_of(given, kFormats);
  if (!form) return fail(form.error());
  return run({*where, form->output, output_of(given)}, color);
}

constexpr std::string_view kExamples = R"(Examples:
  memonline map                               one row per device of each node
  memonline map --root host.tar.xz            another host
  memonline map -o memory.svg                 for a report; hover to see block names
  memonline map -o memory.html                the picture and a table of block ranges
  memonline plan -o plan.svg                  before and after the plan

Exit status: 0; 1 the host cannot be read.)";

}  // namespace

Command map_command() {
  std::vector<Option> options{root_option()};
  add_formats(options, kFormats);
  options.push_back(output_option(kFormats));
  options.push_back(direct_option());
  return {.name = "map",
          .summary = "Draw the memory of a host to scale",
          .options = with_common(std::move(options)),
          .run = &run_given,
          .examples = kExamples};
}

}  // namespace memonline::cli
