// SPDX-License-Identifier: LGPL-2.1-or-later
// memonlined: the service on the bus.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <stdexcept>

#include <fmt/format.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "dbus/bus_listener.hpp"
#include "dbus/going_down.hpp"
#include "dbus/loop.hpp"
#include "dbus/options.hpp"
#include "runtime/service/locked_memory.hpp"

namespace memonline::bus {

namespace {

/// Several times what reading the host and planning take (90 KiB, and 150 bytes for each block, as
/// measured with valgrind's massif), so that it suffices for 256 GiB hot-added in the smallest
/// blocks.
std::size_t reserve() {
  constexpr std::size_t kLeast = std::size_t{512} << 10U, kMax = std::size_t{8} << 20U;
  constexpr std::size_t kOfBlock = 256;
  std::error_code unreadable;
  std::size_t blocks = 0;
  for (std::filesystem::directory_iterator at("/sys/devices/system/memory", unreadable), end;
       !unreadable && at != end; at.increment(unreadable))
    ++blocks;
  return std::min(kMax, kLeast + blocks * kOfBlock);
}

/// Removed when the service ends.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "memonlined-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
      throw std::runtime_error(fmt::format("cannot create `{}`: {}", name, std::strerror(errno)));
    path_ = name;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

service::EventSource events_of(const DaemonOptions& options) {
  if (options.event_fd) return service::EventSource::of_socket(*options.event_fd);
  if (!options.simulate.empty()) {
    // The model's memory changes only by writes of the service: no uevent arrives on this socket.
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0)
      throw std::runtime_error(fmt::format("cannot create a socket: {}", std::strerror(errno)));
    return service::EventSource::of_socket(ends[0]);
  }
  auto source = service::EventSource::of_kernel();
  if (!source)
    throw std::runtime_error(
        fmt::format("cannot receive uevents from the kernel: {}", std::strerror(source.error())));
  return std::move(*source);
}

model::Host must_read(service::Target& target) {
  auto host = target.read();
  if (!host)
    throw std::runtime_error(
        fmt::format("cannot read the host `{}`: {}", host.error().path, host.error().message));
  return std::move(*host);
}

void own_name(sdbus::IConnection& connection) {
  try {
    request_name(connection, kBusName);
  } catch (const sdbus::Error& error) {
    throw std::runtime_error(
        fmt::format("cannot own the bus name `{}`: {}; `dbus-1/system.d/org.memonline1.conf` must "
                    "allow it, and only one memonlined can own it at a time",
                    kBusName, error.getMessage()));
  }
}

/// Queries systemd only if it makes a difference: while a job is waiting for confirmation.
service::Service::Ending ending_of(const service::Service& service) {
  using Ending = service::Service::Ending;
  const auto& jobs = service.jobs();
  const bool waits = std::any_of(jobs.begin(), jobs.end(), [](const service::Job& job) {
    return job.stage == service::Job::Stage::Confirming;
  });
  return waits && machine_goes_down() ? Ending::Machine : Ending::Service;
}

int put_back(const DaemonOptions& options, const Log& log) {
  const auto target = service::this_machine(options.root);
  const service::Round round = service::put_back(*target);
  for (const std::string& line : round.said) log.say(5, line);
  if (round.problem.empty()) return 0;
  log.say(3, round.problem);
  return 1;
}

int serve(const DaemonOptions& options, const Log& log) {
  const bool simulates = !options.simulate.empty();
  std::optional<TemporaryDirectory> temporary;
  std::string directory = options.directory;
  if (simulates && directory.empty()) directory = temporary.emplace().path();
  service::Config config{
      nullptr,
      events_of(options),
      {simulates ? directory : options.root, options.policies, options.expressions},
      {},
      options.keep_switches};
  if (simulates) {
    auto host = runtime::read_host(options.simulate);
    if (!host)
      throw std::runtime_error(
          fmt::format("cannot read the host `{}`: {}", options.simulate, host.error().message));
    std::filesystem::create_directories(directory + "/run/memonline");
    const auto kernel = std::make_shared<apply::SharedModel>(*host);
    for (const Refusal& refusal : options.refusals)
      for (const model::BlockId block : refusal.blocks) kernel->refuse(block, refusal.error);
    config.target = service::simulated(kernel, directory, options.latency);
  } else {
    config.target = service::this_machine(options.root);
  }
  const model::Host host = must_read(*config.target);
  if (host.command_line_value("memonline.mode") == "off") {
    log.say(5, "`memonline.mode=off` is on the kernel command line: doing nothing");
    sd_notify(0, "READY=1\nSTATUS=off: `memonline.mode=off` is on the kernel command line");
    return 0;
  }

  const auto connection = sdbus::createSystemBusConnection();
  BusListener front(*connection, log);
  service::Service service(std::move(config), front);
  front.serve(service, host);
  own_name(*connection);
  service::forget_used_code();
  service.start();
  if (options.exit_idle_time) front.watch_callers();
  const auto [status, rests] = run_loop(*connection, service, front, log, options.exit_idle_time);
  if (status == kStartAgain)
    log.say(5, "a request or a memory change arrived during the exit: restarting");
  else if (status != 0)
    log.say(3, "lost the connection to the bus");
  const bool idle = service.shut_down(rests ? service::Service::Ending::Rest : ending_of(service));
  give_up_name(*connection);
  front.close();
  if (idle) return status;
  // All kernel settings are restored; the remaining work only reads, so there is no need to wait.
  log.say(5, "exiting without waiting for a pending request");
  temporary.reset();
  std::_Exit(status);
}

}  // namespace

}  // namespace memonline::bus

int main(int argc, char** argv) {
  // Before anything is allocated, and before the first thread.
  const bool locked = memonline::service::keep_resident(memonline::bus::reserve());
  try {
    const auto parsed = memonline::bus::parse_options(argc, argv);
    if (const auto* ending = std::get_if<memonline::bus::Ending>(&parsed)) {
      std::fputs(ending->text.c_str(), ending->status == 0 ? stdout : stderr);
      return ending->status;
    }
    const memonline::bus::Log log;
    const auto& options = std::get<memonline::bus::DaemonOptions>(parsed);
    if (!locked && !options.put_back)
      log.say(5, "cannot lock the process in memory (RLIMIT_MEMLOCK): continuing without the lock");
    memonline::bus::block_signals();
    try {
      return options.put_back ? memonline::bus::put_back(options, log)
                              : memonline::bus::serve(options, log);
    } catch (const std::exception& error) {
      log.say(3, error.what());
      return 1;
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "memonlined: %s\n", error.what());
    return 1;
  }
}
