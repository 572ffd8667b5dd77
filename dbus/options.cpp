// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dbus/options.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "compiler/plan/unplug.hpp"
#include "runtime/apply/report.hpp"

namespace memonline::bus {

namespace {

constexpr auto kFooter =
    "Started by systemd as memonlined.service; by hand it needs a system bus on which it may own\n"
    "org.memonline1 (DBUS_SYSTEM_BUS_ADDRESS names another one). With --simulate nothing of this\n"
    "machine is touched: clients can be developed without root and without memory to spare.\n";

constexpr auto kRefuseForm = "it is memoryA[-B]=ERRNO, as memory40-41=EBUSY";

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
  constexpr std::uint64_t kMost = std::uint64_t{1} << 20U;
  if (!blocks || error == 0 || blocks->second.value() - blocks->first.value() >= kMost)
    return std::nullopt;
  return Refusal{blocks->first.value(), blocks->second.value(), error};
}

}  // namespace

std::variant<DaemonOptions, Ending> parse_options(int argc, const char* const* argv) {
  DaemonOptions options;
  std::int64_t latency = 0;
  int event_fd = -1, idle = 0;
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
                 "blocks that the simulated kernel refuses to write, and how it does (repeatable)")
      ->option_text("memoryA[-B]=ERRNO")
      ->check([](const std::string& text) {
        return refusal_of(text) ? std::string() : fmt::format("`{}`: {}", text, kRefuseForm);
      })
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
  app.add_option("--exit-idle-time", idle,
                 "exit after so many seconds without a client if the kernel alone onlines new\n"
                 "memory as the policy requires; a request or a memory change starts it again")
      ->option_text("SECONDS")
      ->check(CLI::Range(1, 86400));
  app.add_flag("--put-back", options.put_back,
               "if the service has exited like that: restore the kernel settings, and exit")
      ->excludes(simulate);
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
  if (idle > 0) options.exit_idle_time = std::chrono::seconds(idle);
  return options;
}

}  // namespace memonline::bus
