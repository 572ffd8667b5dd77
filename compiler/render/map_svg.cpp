// SPDX-License-Identifier: LGPL-2.1-or-later
// The picture of memory for browsers and reports: SVG, and a page around it.
#include <algorithm>

#include <fmt/format.h>

#include "compiler/base/overloaded.hpp"
#include "compiler/kernel/model.hpp"
#include "compiler/render/map.hpp"
#include "compiler/render/map_rows.hpp"

namespace memonline::render {

namespace {

constexpr double kBar = 640;    // of the longest row
constexpr double kLabel = 260;  // left of the bars
constexpr double kHeight = 18;  // of a bar
constexpr double kLine = 26;    // of a row
constexpr double kMargin = 12;
constexpr double kThinnest = 1.5;  // one block of half a million is to be seen, too

constexpr std::string_view kStyle = R"css(<style>
svg { font: 13px sans-serif; background: #fff }
text { fill: #151515 }
.small { fill: #4d4d4d; font-size: 11px }
.kernel { fill: #0066cc } .movable { fill: #63993d } .several { fill: #876fd4 }
.offline { fill: #e0e0e0 } .unknown { fill: #f0561d }
@media (prefers-color-scheme: dark) {
  svg { background: #151515 } text { fill: #f2f2f2 } .small { fill: #c7c7c7 }
  .kernel { fill: #4394e5 } .movable { fill: #87bb62 } .several { fill: #b6a6e9 }
  .offline { fill: #4d4d4d }
}
</style>
)css";

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '"': result += "&quot;"; break;
      default: result += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
    }
  }
  return result;
}

std::string what_is(const Part& part) {
  return part.zone.empty() || part.kind == Kind::Several
             ? std::string(text_of(part.kind).description)
             : part.zone;
}

/// Two digits after the point are a hundredth of a pixel.
std::string number(double value) {
  std::string text = fmt::format("{:.2f}", value);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

class Drawing {
 public:
  Drawing(const model::Host& host, std::uint64_t longest)
      : host_(host), scale_(longest == 0 ? 0 : kBar / static_cast<double>(longest)) {}

  void space(double height) { y_ += height; }
  void title(std::string_view text) {
    text_at(kMargin, text, "");
    y_ += kLine;
  }
  void bar(const Row& row, std::string_view label, std::string_view beside) {
    text_at(kMargin + 12, label, "");
    text_at(kLabel - 8, beside, R"( class="small" text-anchor="end")");
    for (const Part& part : row.parts) draw(part, row.blocks);
    y_ += kLine;
  }
  void legend(const std::array<std::uint64_t, kKinds>& sums) {
    double x = kMargin;
    for (std::size_t i = 0; i < kKinds; ++i) {
      if (sums.at(i) == 0) continue;
      const KindText& kind = text_of(static_cast<Kind>(i));
      const std::string text =
          fmt::format("{}, {}", kind.description, model::human(host_.block_size * sums.at(i)));
      rect(x, 12, kind.name, "");
      body_ += fmt::format("<text x=\"{}\" y=\"{}\">{}</text>\n", number(x + 18),
                           number(y_ + kHeight - 5), text);
      x += 40 + 7.5 * static_cast<double>(text.size());
    }
    y_ += kLine;
  }
  [[nodiscard]] std::string finish(const std::string& title, const std::string& description) const {
    return fmt::format(
               "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{0}\" "
               "height=\"{1}\" viewBox=\"0 0 {0} {1}\">\n<title>{2}</title>\n<desc>{3}</desc>\n",
               number(kLabel + kBar + kMargin), number(y_ + kMargin), escaped(title),
               escaped(description)) +
           std::string(kStyle) + body_ + "</svg>\n";
  }

 private:
  void text_at(double x, std::string_view text, std::string_view attributes) {
    body_ += fmt::format("<text x=\"{}\" y=\"{}\"{}>{}</text>\n", number(x),
                         number(y_ + kHeight - 5), attributes, escaped(text));
  }
  void rect(double x, double width, std::string_view kind, const std::string& tip) {
    body_ += fmt::format(R"(<rect x="{}" y="{}" width="{}" height="{}" class="{}")", number(x),
                         number(y_), number(width), number(kHeight), kind);
    body_ += tip.empty() ? "/>\n" : fmt::format("><title>{}</title></rect>\n", escaped(tip));
  }
  void draw(const Part& part, std::uint64_t blocks) {
    const double width = std::max(static_cast<double>(part.count) * scale_, kThinnest);
    // Thin ones are widened within their row, never beyond its end.
    const double end = kLabel + static_cast<double>(blocks) * scale_;
    const double x =
        std::min(kLabel + static_cast<double>(part.at) * scale_, std::max(kLabel, end - width));
    rect(x, width, text_of(part.kind).name,
         fmt::format("{}: {}, {}", part_name(part), what_is(part),
                     model::human(host_.block_size * part.count)));
  }

  const model::Host& host_;
  double scale_;
  double y_ = kMargin;
  std::string body_;
};

std::string sums_text(const model::Host& host, const std::vector<Row>& rows) {
  std::string text;
  const auto sums = totals(rows);
  for (std::size_t i = 0; i < kKinds; ++i)
    if (sums.at(i) > 0)
      text += fmt::format("{}{}: {}", text.empty() ? "" : "; ",
                          text_of(static_cast<Kind>(i)).description,
                          model::human(host.block_size * sums.at(i)));
  return text;
}

}  // namespace

std::string map_to_svg(const model::Host& host, const model::Host* after) {
  const std::vector<Row> rows = rows_of(host);
  const std::vector<Row> later = after == nullptr ? std::vector<Row>{} : rows_of(*after);
  Drawing drawing(host, std::max(longest(rows), longest(later)));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i == 0 || rows[i].node != rows[i - 1].node) drawing.title(node_name(rows[i]));
    const std::string size = model::human(host.block_size * rows[i].blocks);
    drawing.bar(rows[i], rows[i].device, after == nullptr ? size : size + ", now");
    if (i < later.size()) drawing.bar(later[i], "", "as planned");
  }
  drawing.space(kLine / 2);
  drawing.legend(totals(after == nullptr ? rows : later));
  const std::string sums = sums_text(host, rows);
  return drawing.finish(
      "Memory of this host, drawn to scale",
      after == nullptr ? sums
                       : fmt::format("Now: {}. As planned: {}", sums, sums_text(*after, later)));
}

std::string map_to_html(const model::Host& host) {
  std::string text =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Memory</title>\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<style>\n"
      "body { font: 14px sans-serif; margin: 2em } td, th { padding: 2px 12px; text-align: left }\n"
      "svg { max-width: 100%; height: auto }\n</style>\n";
  text += fmt::format("<h1>Memory</h1>\n<p>Kernel {}, blocks of {}</p>\n", escaped(host.kernel),
                      model::human(host.block_size));
  text += map_to_svg(host);
  text +=
      "<table>\n<tr><th>Node</th><th>Device</th><th>Blocks</th><th>Size</th><th>Zone</th></tr>\n";
  for (const Row& row : rows_of(host))
    for (const Part& part : row.parts)
      text += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                          node_name(row), escaped(row.device), part_name(part),
                          model::human(host.block_size * part.count), what_is(part));
  return text + "</table>\n</html>\n";
}

model::Host carried_out(const plan::Plan& plan, const model::Host& host) {
  kernel::Model model(host);
  for (const plan::Step& step : plan.steps)
    std::visit(overloaded{
                   [&](const plan::SetKnob& set) { (void)model.set_knob(set.knob, set.value); },
                   [&](const plan::OnlineBlocks& online) {
                     (void)model.online(online.blocks, online.word);
                   },
                   [&](const plan::OfflineBlocks& offline) { (void)model.offline(offline.blocks); },
                   [&](const plan::ConfigureBlocks& config) {
                     (void)(config.configure ? model.configure(config.blocks)
                                             : model.deconfigure(config.blocks));
                   },
                   // Nothing that blocks show.
                   [](const plan::ProbeBlock&) {},
                   [](const plan::ReclaimMemory&) {},
                   [](const plan::SetParameters&) {},
               },
               step.action);
  return model.host();
}

}  // namespace memonline::render
