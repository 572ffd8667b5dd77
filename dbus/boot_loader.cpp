// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dbus/boot_loader.hpp"

#include <utility>

#include <fmt/format.h>

#include "dbus/errors.hpp"

namespace memonline::bus {

namespace {

constexpr auto kManager = "org.freedesktop.systemd1.Manager";
constexpr auto kUnit = "memonline-bootparams.service";

sdbus::Error failed(const std::string& why) {
  return make_error(errors::kFailed,
                    fmt::format("{}; `memonline boot apply` does it without the service", why));
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
  // systemd tells the end of a job to who has it started, also without Subscribe.
  systemd_->callMethodAsync("StartUnit")
      .onInterface(kManager)
      .withArguments(std::string(kUnit), std::string("replace"))
      .uponReplyInvoke([this, done = std::move(done)](ReplyError error,
                                                      const sdbus::ObjectPath& job) {
        if (error)
          done(failed(fmt::format("systemd does not start {}: {}", kUnit, error->getMessage())));
        else
          waiting_.emplace(job, done);
      });
}

void BootLoader::ended(const std::string& job, const std::string& result) {
  auto waited = waiting_.extract(job);
  if (waited.empty()) return;
  if (result == "done")
    waited.mapped()(std::nullopt);
  else
    waited.mapped()(failed(
        fmt::format("{} ended with `{}`: `journalctl -u {}` tells more", kUnit, result, kUnit)));
}

}  // namespace memonline::bus
