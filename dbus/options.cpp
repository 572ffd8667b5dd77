// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dbus/options.hpp"

#include <charconv>
#include <string_view>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "runtime/apply/report.hpp"

namespace memonline::bus {

namespace {

constexpr auto kFooter =
    "Started by systemd as memonlined.service; by hand it needs a system bus on which it may own\n"
    "org.memonline1 (DBUS_SYSTEM_BUS_ADDRESS names another one). With --simulate nothing of this\n"
    "machine is touched: clients can be developed without root and without memory to spare.\n";

/// Of "36=EBUSY".
std::optional<Refusal> refusal_of(const std::string& text) {
  constexpr int kErrnos = 256;
  Refusal refusal;
  const char* const end = text.data() + text.size();
  const auto [rest, wrong] = std::from_chars(text.data(), end, refusal.block);
  if (wrong != std::errc() || rest == end || *rest != '=') return std::nullopt;
  const std::string_view name(rest + 1);
  while (++refusal.error < kErrnos)
    if (apply::errno_text(refusal.error) == name) return refusal;
  return std::nullopt;
}

std::string complaint_about_refusal(const std::string& text) {
  return refusal_of(text) ? "" : fmt::format("`{}` is not as `36=EBUSY`", text);
}

}  // namespace

std::variant<DaemonOptions, Ending> parse_options(int argc, const char* const* argv) {
  DaemonOptions options;
  std::int64_t latency = 0;
  int event_fd = -1;
  std::vector<std::string> refusals;
  CLI::App app("Keeps memory online as the policy says, and answers on D-Bus as org.memonline1.",
               "memonlined");
  app.set_version_flag("--version", fmt::format("memonlined {}", MEMONLINE_VERSION),
                       "print the version");
  app.set_help_flag("-h,--help", "print this help");
  auto* root =
      app.add_option("--root", options.root, "the directory that stands for /")->option_text("DIR");
  auto* simulate = app.add_option("--simulate", options.simulate,
                                  "a kernel model of this captured host in place of the machine")
                       ->option_text("HOST")
                       ->excludes(root);
  app.add_option("--latency", latency, "what each write takes in the simulation, in milliseconds")
      ->option_text("MS")
      ->check(CLI::Range(0, 60000))
      ->needs(simulate);
  app.add_option("--refuse", refusals,
                 "a block of the simulation that answers each write so, as 36=EBUSY (repeatable)")
      ->option_text("BLOCK=ERRNO")
      ->check(complaint_about_refusal)
      ->needs(simulate);
  app.add_option("--directory", options.directory,
                 "the simulation's /etc and /run are below (default: a temporary directory)")
      ->option_text("DIR")
      ->needs(simulate);
  app.add_option("--event-fd", event_fd,
                 "a datagram socket on which uevents come, in place of the kernel's")
      ->option_text("N")
      ->check(CLI::Range(0, 1 << 20));
  app.add_flag("--keep-switches", options.keep_switches,
               "leave the kernel's switches as they are at the end");
  app.add_option("--policy", options.policies, "a policy, in place of the search path (repeatable)")
      ->option_text("FILE");
  app.add_option("-e", options.expressions, "a policy as text (repeatable)")->option_text("TEXT");
  app.footer(kFooter);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {
    if (asked.get_name() == "CallForVersion") return Ending{0, std::string(asked.what()) + "\n"};
    return Ending{0, app.help()};
  } catch (const CLI::ParseError& error) {
    return Ending{2, fmt::format("memonlined: {}\n", error.what())};
  }
  options.latency = std::chrono::milliseconds(latency);
  for (const std::string& text : refusals) options.refusals.push_back(*refusal_of(text));
  if (event_fd >= 0) options.event_fd = event_fd;
  return options;
}

}  // namespace memonline::bus
