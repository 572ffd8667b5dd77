// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dbus/options.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "compiler/plan/unplug.hpp"
#include "runtime/apply/report.hpp"

namespace memonline::bus {

namespace {

constexpr auto kFooter =
    "Started by systemd as memonlined.service. Started by hand, it needs a system bus on which it\n"
    "may own org.memonline1 (DBUS_SYSTEM_BUS_ADDRESS selects another bus). --simulate does not\n"
    "touch this machine: clients can be developed without root and without spare memory.\n";

constexpr auto kRefuseForm = "expected memoryA[-B]=ERRNO, for example memory40-41=EBUSY";

int errno_named(const std::string& name) {
  constexpr int kLast = 133;  // EHWPOISON
  for (int error = 1; error <= kLast; ++error)
    if (name == apply::errno_text(error)) return error;
  return 0;
}

std::optional<Refusal> refusal_of(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) return std::nullopt;
  const auto what = plan::parse_unplug(text.substr(0, equals));
  const int error = errno_named(text.substr(equals + 1));
  const auto blocks = what ? plan::block_range(*what) : std::nullopt;
  constexpr std::uint64_t kMax = std::uint64_t{1} << 20U;
  if (!blocks || error == 0 || blocks->last - blocks->first >= kMax) return std::nullopt;
  return Refusal{*blocks, error};
}

/// The values as CLI11 reads them; the checks and conversions follow.
struct Given {
  DaemonOptions options;
  std::int64_t latency = 0;
  int event_fd = -1;
  int idle = 0;
  std::vector<std::string> refusals;
};

void add_simulation_options(CLI::App& app, Given& given, CLI::Option* root) {
  auto* simulate = app.add_option("--simulate", given.options.simulate,
                                  "Use a kernel model of this captured host instead of the machine")
                       ->option_text("HOST")
                       ->excludes(root);
  app.add_option("--latency", given.latency,
                 "Duration of each write in the simulation, in milliseconds")
      ->option_text("MS")
      ->check(CLI::Range(0, 60000))
      ->needs(simulate);
  app.add_option("--refuse", given.refusals,
                 "Let writes to these blocks fail with ERRNO in the simulation (repeatable)")
      ->option_text("memoryA[-B]=ERRNO")
      ->check([](const std::string& text) {
        return refusal_of(text) ? std::string() : fmt::format("`{}`: {}", text, kRefuseForm);
      })
      ->needs(simulate);
  app.add_option("--directory", given.options.directory,
                 "Directory for the simulation's /etc and /run (default: a temporary directory)")
      ->option_text("DIR")
      ->needs(simulate);
}

void add_service_options(CLI::App& app, Given& given) {
  app.add_option("--event-fd", given.event_fd,
                 "Receive uevents from this datagram socket instead of the kernel")
      ->option_text("N")
      ->check(CLI::Range(0, 1 << 20));
  app.add_flag("--keep-switches", given.options.keep_switches,
               "Leave the kernel settings unchanged at exit");
  app.add_option("--exit-idle-time", given.idle,
                 "Exit after this many seconds without a client if the kernel alone onlines new\n"
                 "memory as the policy requires; a request or a memory change starts it again")
      ->option_text("SECONDS")
      ->check(CLI::Range(1, 86400));
  app.add_flag("--put-back", given.options.put_back,
               "Restore the kernel settings if the service has exited when idle, and exit")
      ->excludes(app.get_option("--simulate"));
  app.add_option("--policy", given.options.policies,
                 "Use this policy instead of the search path (repeatable)")
      ->option_text("FILE");
  app.add_option("-e", given.options.expressions, "Use TEXT as a policy (repeatable)")
      ->option_text("TEXT");
}

}  // namespace

std::variant<DaemonOptions, Ending> parse_options(int argc, const char* const* argv) {
  Given given;
  CLI::App app("Keeps memory online as the policy requires, and provides org.memonline1 on D-Bus.",
               "memonlined");
  app.set_version_flag("--version", fmt::format("memonlined {}", MEMONLINE_VERSION),
                       "Print the version");
  app.set_help_flag("-h,--help", "Print this help");
  auto* root = app.add_option("--root", given.options.root, "Use DIR in place of /");
  add_simulation_options(app, given, root->option_text("DIR"));
  add_service_options(app, given);
  app.footer(kFooter);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {
    if (asked.get_name() == "CallForVersion") return Ending{0, std::string(asked.what()) + "\n"};
    return Ending{0, app.help()};
  } catch (const CLI::ParseError& error) {
    return Ending{2, fmt::format("memonlined: {}\n", error.what())};
  }
  DaemonOptions options = std::move(given.options);
  options.latency = std::chrono::milliseconds(given.latency);
  for (const std::string& text : given.refusals) options.refusals.push_back(*refusal_of(text));
  if (given.event_fd >= 0) options.event_fd = given.event_fd;
  if (given.idle > 0) options.exit_idle_time = std::chrono::seconds(given.idle);
  return options;
}

}  // namespace memonline::bus
