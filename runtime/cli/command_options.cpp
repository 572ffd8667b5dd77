// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/cli/command_options.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

#include "compiler/text/printable.hpp"
#include "compiler/text/similar.hpp"
#include "runtime/host/text.hpp"

namespace memonline::cli {

namespace {

using options::Offers;
using Words = std::vector<std::string_view>;

struct FormatWord {
  Format format;
  std::string_view name;
  std::array<std::string_view, 2> suffixes;  ///< the first is shown; empty: no second one
};
constexpr std::array<FormatWord, 7> kFormats{{{Format::Text, "text", {".txt", ""}},
                                              {Format::Json, "json", {".json", ""}},
                                              {Format::Yaml, "yaml", {".yaml", ".yml"}},
                                              {Format::Shell, "shell", {".sh", ""}},
                                              {Format::Svg, "svg", {".svg", ""}},
                                              {Format::Html, "html", {".html", ".htm"}},
                                              {Format::Prometheus, "prometheus", {".prom", ""}}}};

const FormatWord& entry_of(Format format) {
  return *std::find_if(kFormats.begin(), kFormats.end(),
                       [format](const FormatWord& entry) { return entry.format == format; });
}

/// ".png" of "a/x.png"; empty: the name has none, as ".profile" and "plan".
std::string_view suffix_of(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0 || dot + 1 == name.size()) return {};
  return name.substr(dot);
}

Words shown_suffixes(std::initializer_list<Format> formats) {
  Words shown;
  for (const Format format : formats) shown.push_back(entry_of(format).suffixes[0]);
  return shown;
}

UsageError unknown_suffix(std::string_view suffix, const Given& given, const Words& suffixes,
                          std::string_view otherwise) {
  // Suffixes are short: with two wrong letters, any of them would be near.
  std::string_view near;
  for (const std::string_view known : suffixes)
    if (edit_distance(suffix, known) == 1) near = known;
  return {fmt::format("invalid suffix `{}` in `{} {}`: expected {}{}{}", printable(suffix),
                      given.spelling("output"), printable(given.value("output")),
                      memonline::options::one_of(suffixes), otherwise,
                      near.empty() ? "" : fmt::format("; did you mean `{}`?", near))};
}

/// A word that begins with a digit is the TIME of `--wait`, valid or not; "plan.json" is not.
bool looks_like_a_time(std::string_view word) {
  return !word.empty() && word.front() >= '0' && word.front() <= '9';
}

/// "120s", "2min" (also "2m"), "1h", "500ms", and a bare number of seconds. Empty for anything
/// else, and for more than 24 hours.
std::optional<std::chrono::milliseconds> duration_of(std::string_view text) {
  using Milliseconds = std::chrono::milliseconds;
  constexpr std::array<std::pair<std::string_view, std::int64_t>, 6> kUnits{
      {{"", 1000}, {"s", 1000}, {"min", 60'000}, {"m", 60'000}, {"h", 3'600'000}, {"ms", 1}}};
  const std::size_t digits = text.find_first_not_of("0123456789");
  const auto number = runtime::decimal(text.substr(0, digits));
  const std::string_view unit = digits == std::string_view::npos ? "" : text.substr(digits);
  constexpr std::int64_t kDay = 86'400'000;
  if (!number || *number > static_cast<std::uint64_t>(kDay)) return std::nullopt;
  for (const auto& [name, factor] : kUnits)
    if (name == unit) {
      const std::int64_t time = static_cast<std::int64_t>(*number) * factor;
      return time <= kDay ? std::optional(Milliseconds(time)) : std::nullopt;
    }
  return std::nullopt;
}

UsageError wrong_time(const Given& given, std::string_view name) {
  return {fmt::format("invalid duration `{}` for `{}`: expected for example 90s, 2min or 1h",
                      printable(given.value(name)), given.spelling(name))};
}

}  // namespace

std::string_view format_name(Format format) { return entry_of(format).name; }

Option help_option() { return {.letter = 'h', .names = {"help"}, .help = "Print this help"}; }
Option version_option() {
  return {.letter = 'V', .names = {"version"}, .help = "Print the version"};
}
Option color_option() {
  return {.names = {"color"},
          .value = "WHEN",
          .help = "When to use color: auto, always or never (default: auto)",
          .words = {"auto", "always", "never"}};
}
Option root_option() {
  return {.names = {"root", "sysroot"},
          .value = "DIR",
          .help =
              "The host: a directory, a tar archive of one, a snapshot of `capture`, or the "
              "output of `lsmem --json` (default: /)",
          .offers = Offers::Files};
}
Option policy_option() {
  return {.names = {"policy"},
          .value = "FILE",
          .help =
              "Read this policy or package instead of the search path; - is standard input; "
              "repeatable",
          .repeats = true,
          .offers = Offers::Files};
}
Option expression_option() {
  return {.letter = 'e',
          .names = {"expression"},
          .value = "TEXT",
          .help = "Use TEXT as a policy, after those of --policy; repeatable",
          .repeats = true,
          .may_be_empty = true};
}
Option dry_run_option() {
  return {.letter = 'n',
          .names = {"dry-run"},
          .help = "Show what would be done without changing anything"};
}
Option direct_option() {
  return {.names = {"direct"}, .help = "Bypass memonlined even if it is running"};
}
Option output_option(std::initializer_list<Format> formats) {
  std::string help = "Write to FILE, atomically";
  if (formats.size() > 1)
    help += fmt::format("; its suffix ({}) selects the format",
                        memonline::options::one_of(shown_suffixes(formats)));
  return {.letter = 'o',
          .names = {"output"},
          .value = "FILE",
          .help = std::move(help),
          .offers = Offers::Files};
}

std::vector<Option> with_common(std::vector<Option> options) {
  options.insert(options.begin(), color_option());
  options.insert(options.begin(), help_option());
  return options;
}

void add_where(std::vector<Option>& options) {
  options.push_back(root_option());
  options.push_back(policy_option());
  options.push_back(expression_option());
}

void add_formats(std::vector<Option>& options, std::initializer_list<Format> formats) {
  Words words;
  for (const Format format : formats) words.push_back(format_name(format));
  options.push_back({.names = {"format"},
                     .value = "FORMAT",
                     .help = fmt::format("Output format: {} (default: {})",
                                         memonline::options::one_of(words), words.front()),
                     .words = words});
  if (std::find(formats.begin(), formats.end(), Format::Json) != formats.end())
    options.push_back({.names = {"json"}, .help = "The same as --format json"});
}

void add_run(std::vector<Option>& options) {
  options.push_back(
      {.names = {"deadline"},
       .value = "TIME",
       .help = "Time limit for offlining one block (default: 30s plus 1s per 64 MiB to move)"});
  options.push_back({.names = {"wait"},
                     .value = "TIME",
                     .help = "Wait up to TIME (default: 24h) for a concurrent run to finish",
                     .takes = &looks_like_a_time});
  add_formats(options, {Format::Text, Format::Json});
  options.push_back(direct_option());
}

Result<Where, UsageError> where_of(const Given& given, bool ask_service) {
  Where where;
  where.policies = given.values("policy");
  where.expressions = given.values("expression");
  where.by_service = ask_service && !given.has("direct");
  if (given.has("root")) {
    where.root = given.value("root");
  } else if (const char* root = std::getenv("MEMONLINE_ROOT"); root != nullptr) {
    where.root = root;
    // Otherwise an unset variable in a script would run a command for another host on this one.
    if (where.root.empty())
      return fail(UsageError{
          "MEMONLINE_ROOT is empty: expected a directory; unset it to use this machine"});
  }
  return where;
}

Result<std::chrono::milliseconds, UsageError> time_of(const Given& given, std::string_view name) {
  const auto time = duration_of(given.value(name));
  if (!time || *time <= std::chrono::milliseconds(0)) return fail(wrong_time(given, name));
  return *time;
}

Result<RunOptions, UsageError> run_options_of(const Given& given) {
  RunOptions run;
  if (given.has("deadline")) {
    const auto deadline = time_of(given, "deadline");
    if (!deadline) return fail(deadline.error());
    run.deadline = *deadline;
  }
  if (given.has("wait")) {
    const std::string time = given.value("wait");
    const auto wait = duration_of(time.empty() ? "24h" : time);
    if (!wait) return fail(wrong_time(given, "wait"));
    run.wait = *wait;
  }
  const auto form = form_of(given, {Format::Text, Format::Json});
  if (!form) return fail(form.error());
  run.format = form->output;
  run.direct = given.has("direct");
  return run;
}

Result<Form, UsageError> form_of(const Given& given, std::initializer_list<Format> formats) {
  Form form;
  if (given.has("format"))
    for (const FormatWord& entry : kFormats)
      if (entry.name == given.value("format")) form.output = entry.format;
  if (given.has("json")) {
    if (given.has("format") && form.output != Format::Json)
      return fail(UsageError{
          fmt::format("`--json` and `--format {}` cannot be combined", given.value("format"))});
    form.output = Format::Json;
  }
  form.chosen = given.has("format") || given.has("json");
  if (form.chosen) form.errors = form.output;
  const std::string file = output_of(given);
  const std::string_view suffix = suffix_of(file);
  if (suffix.empty()) return form;
  const auto of_suffix =
      std::find_if(kFormats.begin(), kFormats.end(), [suffix](const FormatWord& entry) {
        return entry.suffixes[0] == suffix || entry.suffixes[1] == suffix;
      });
  if (form.chosen) {
    // With --format any file name is valid, except one whose suffix is that of another format.
    if (of_suffix == kFormats.end() || of_suffix->format == form.output) return form;
    return fail(UsageError{fmt::format("`--format {}` conflicts with the suffix of `{} {}`",
                                       format_name(form.output), given.spelling("output"),
                                       printable(file))});
  }
  if (of_suffix == kFormats.end() ||
      std::find(formats.begin(), formats.end(), of_suffix->format) == formats.end())
    return fail(unknown_suffix(suffix, given, shown_suffixes(formats),
                               formats.size() > 1 ? ", or a format given with `--format`" : ""));
  form.output = of_suffix->format;
  return form;
}

std::string output_of(const Given& given) {
  const std::string file = given.value("output");
  return file == "-" ? "" : file;
}

std::optional<UsageError> wrong_suffix(const Given& given, const Words& suffixes) {
  const std::string file = output_of(given);
  const std::string_view suffix = suffix_of(file);
  if (suffix.empty() || std::find(suffixes.begin(), suffixes.end(), suffix) != suffixes.end())
    return std::nullopt;
  return unknown_suffix(suffix, given, suffixes, ", or a name without a suffix");
}

}  // namespace memonline::cli
