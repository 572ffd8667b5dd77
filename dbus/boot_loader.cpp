// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dbus/boot_loader.hpp"

#include <utility>

#include <fmt/format.h>

#include "dbus/errors.hpp"

namespace memonline::bus {

namespace {

constexpr auto kManager = "org.freedesktop.systemd1.Manager";
constexpr auto kUnit = "memonline-bootparams.service";
/// More than the unit's TimeoutStartSec.
constexpr auto kPatience = std::chrono::minutes(11);

sdbus::Error failed(const std::string& why) {
  return make_error(errors::kFailed,
                    fmt::format("{}; without the service, run `memonline boot apply`", why));
}

}  // namespace

BootLoader::BootLoader(sdbus::IConnection& connection)
    : systemd_(make_proxy(connection, "org.freedesktop.systemd1", "/org/freedesktop/systemd1")) {
  systemd_->uponSignal("JobRemoved")
      .onInterface(kManager)
      .call([this](std::uint32_t, const sdbus::ObjectPath& job, const std::string&,
                   const std::string& result) { ended(job, result); });
  begin_listening(*systemd_);
}

void BootLoader::write(Done done) {
  waiting_.push_back(std::move(done));
  // A lost signal, for example when PID 1 re-executes itself, must not block all later calls.
  if (!running_.empty() && std::chrono::steady_clock::now() - began_ > kPatience)
    answer(failed(fmt::format("systemd did not report the result of {}", kUnit)));
  else if (running_.empty())
    start();
}

void BootLoader::start() {
  running_ = std::exchange(waiting_, {});
  job_.clear();
  began_ = std::chrono::steady_clock::now();
  const auto not_started = [this](const sdbus::Error& error) {
    answer(failed(fmt::format("systemd cannot start {}: {}", kUnit, error.getMessage())));
  };
  try {
    // systemd reports the end of a job to the client that started it, also without Subscribe.
    systemd_->callMethodAsync("StartUnit")
        .onInterface(kManager)
        .withArguments(std::string(kUnit), std::string("replace"))
        .uponReplyInvoke([this, not_started](ReplyError error, const sdbus::ObjectPath& job) {
          if (error)
            not_started(*error);
          else
            job_ = job;
        });
  } catch (const sdbus::Error& error) {
    not_started(error);
  }
}

void BootLoader::ended(const std::string& job, const std::string& result) {
  if (job_.empty() || job != job_) return;
  if (result == "done")
    answer(std::nullopt);
  else
    answer(failed(fmt::format("{} ended with `{}`: see `journalctl -u {}`", kUnit, result, kUnit)));
}

void BootLoader::answer(const std::optional<sdbus::Error>& error) {
  const std::vector<Done> answered = std::exchange(running_, {});
  job_.clear();
  if (!waiting_.empty()) start();
  for (const Done& done : answered) done(error);
}

}  // namespace memonline::bus
