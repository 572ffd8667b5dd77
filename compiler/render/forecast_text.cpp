// SPDX-License-Identifier: LGPL-2.1-or-later
// A forecast on a screen.
#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "compiler/render/plan.hpp"
#include "compiler/text/columns.hpp"

namespace memonline::render {

using forecast::Forecast;
using forecast::NewRun;
using model::Bytes;

namespace {

std::string zone_text(const NewRun& run) {
  return run.zone ? std::string(model::zone_name(*run.zone)) : "offline";
}

// Runs repeat device by device; this many are shown.
constexpr std::size_t kMaxRuns = 16;

std::string runs_table(const Forecast& forecast, Bytes block_size) {
  std::vector<std::vector<std::string>> rows;
  for (const NewRun& run : forecast.runs) {
    if (rows.size() == kMaxRuns) break;
    rows.push_back({model::range_name(run.blocks), model::human(block_size * run.blocks.count()),
                    zone_text(run)});
  }
  std::string text;
  for (const std::string& line : text::in_columns({{}, {text::Align::Right, 2, 9}, {}}, rows))
    text += line + "\n";
  if (forecast.runs.size() > rows.size())
    text += fmt::format("  and {} more ranges (`--format json` has all)\n",
                        forecast.runs.size() - rows.size());
  return text;
}

std::string totals(const Forecast& forecast, Bytes block_size) {
  std::uint64_t normal = 0;
  std::uint64_t movable = 0;
  std::uint64_t offline = 0;
  for (const NewRun& run : forecast.runs) {
    const std::uint64_t count = run.blocks.count();
    (!run.zone ? offline : model::is_kernel_zone(*run.zone) ? normal : movable) += count;
  }
  std::string text;
  const auto add = [&](std::uint64_t blocks, const char* what) {
    if (blocks > 0)
      text +=
          fmt::format("{}{} {}", text.empty() ? "" : ", ", model::human(block_size * blocks), what);
  };
  add(normal, "Normal");
  add(movable, "Movable");
  add(offline, "offline");
  return text;
}

}  // namespace

std::string forecast_to_text(const Forecast& forecast, const model::Host& before) {
  const forecast::Device& last = forecast.devices.back();
  std::string text =
      fmt::format("{} for node{}", model::human(forecast.request.bytes), forecast.node);
  const bool steps = plan::is_incremental(forecast.source);
  const char* one = steps ? "step" : "device";
  if (forecast.source != plan::Source::Dimm)
    text += fmt::format(" through {}", plan::source_text(forecast.source));
  text += forecast.device_count == 1 || forecast.source == plan::Source::Standby
              ? (forecast.source == plan::Source::Dimm ? " in one device: " : ": ")
              : fmt::format(" in {} {}s of {}: ", forecast.device_count, one,
                            steps ? model::human(forecast.device_bytes)
                                  : model::exact(forecast.device_bytes));
  text += forecast.fits()              ? "fits\n"
          : forecast.device_count == 1 ? "does not fit\n"
                                       : fmt::format("fails at {} {}\n", one, *forecast.ends_at);
  text += fmt::format("  kernel memory free before the first   {}\n",
                      model::human(forecast.devices.front().free));
  text += fmt::format("  taken by adding the first             {}{}\n",
                      model::human(forecast.devices.front().needed),
                      forecast.own_map ? " (its blocks hold their own memory map)" : "");
  if (!forecast.fits() && forecast.device_count > 1)
    text += fmt::format("  taken by {} {}, and free then      {}, {}\n", one, last.number,
                        model::human(last.needed), model::human(last.free));
  if (forecast.fits())
    text += fmt::format("  least free after an add               {}\n",
                        model::human(forecast.lowest_free));
  for (std::size_t i = 0; i < forecast.remedies.size(); ++i)
    text +=
        fmt::format("{} {}\n", i == 0 ? "To make it fit:\n  -" : "  -", forecast.remedies[i].text);
  if (forecast.runs.empty()) return text;
  text += fmt::format("Onlined by {}{}: {}\n",
                      forecast.by == plan::Onliner::Corrected
                          ? std::string("the kernel, corrected by the service")
                          : fmt::format("the {}", plan::onliner_name(forecast.by)),
                      forecast.rule.path.empty() ? "" : fmt::format(" (`{}`)", forecast.rule.text),
                      totals(forecast, before.block_size));
  return text + runs_table(forecast, before.block_size);
}

}  // namespace memonline::render
