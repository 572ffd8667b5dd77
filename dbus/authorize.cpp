// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dbus/authorize.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "dbus/errors.hpp"

namespace memonline::bus {

namespace {

constexpr auto kAuthority = "org.freedesktop.PolicyKit1.Authority";
/// A user may have to find a password.
constexpr auto kPatience = std::chrono::minutes(5);
/// The bus answers at once. What it sends to a connection whose queue is full of what others send
/// is lost, and asked again.
constexpr auto kBusPatience = std::chrono::seconds(2);
constexpr unsigned kTries = 10;
constexpr std::uint32_t kAllowUserInteraction = 1;

sdbus::Error denied(const std::string& why) { return make_error(errors::kAccessDenied, why); }

/// The service waited in vain. That says nothing of what the caller may do.
std::optional<sdbus::Error> timed_out(const sdbus::Error& error, const char* whom) {
  const std::string& name = error.getName();
  if (name != "org.freedesktop.DBus.Error.NoReply" && name != "org.freedesktop.DBus.Error.Timeout")
    return std::nullopt;
  return make_error(errors::kTimedOut,
                    fmt::format("{} has not answered in time: try again later", whom));
}

}  // namespace

Authority::Authority(sdbus::IConnection& connection)
    : bus_(make_proxy(connection, "org.freedesktop.DBus", "/org/freedesktop/DBus")),
      polkit_(make_proxy(connection, "org.freedesktop.PolicyKit1",
                         "/org/freedesktop/PolicyKit1/Authority")) {}

void Authority::identify(const Caller& caller, const Identified& identified) {
  identify(caller.name, kTries, identified);
}

void Authority::identify(const std::string& name, unsigned tries, const Identified& identified) {
  bus_->callMethodAsync("GetConnectionUnixUser")
      .onInterface("org.freedesktop.DBus")
      .withTimeout(kBusPatience)
      .withArguments(name)
      .uponReplyInvoke([this, name, tries, identified](ReplyError error, std::uint32_t uid) {
        if (!error) {
          add_process(name, uid, identified);
          return;
        }
        const auto late = timed_out(*error, "the bus");
        if (late && tries > 1)
          identify(name, tries - 1, identified);
        else
          identified(
              fail(late.value_or(denied("cannot identify the caller: " + error->getMessage()))));
      });
}

// For the journal: without it, the caller is known well enough.
void Authority::add_process(const std::string& name, std::uint32_t uid,
                            const Identified& identified) {
  bus_->callMethodAsync("GetConnectionUnixProcessID")
      .onInterface("org.freedesktop.DBus")
      .withTimeout(kBusPatience)
      .withArguments(name)
      .uponReplyInvoke([uid, identified](ReplyError error, std::uint32_t pid) {
        identified(Identity{uid, error ? std::nullopt : std::optional(pid)});
      });
}

void Authority::credentials(const Caller& caller, Known known) {
  using Values = std::map<std::string, sdbus::Variant>;
  bus_->callMethodAsync("GetConnectionCredentials")
      .onInterface("org.freedesktop.DBus")
      .withArguments(caller.name)
      .uponReplyInvoke([known = std::move(known)](ReplyError error, const Values& values) {
        const auto uid = values.find("UnixUserID");
        if (error || uid == values.end()) {
          known(fail(denied("the bus cannot identify the caller")));
          return;
        }
        // dbus-daemon knows the groups since 1.13.
        policy::Credentials credentials{uid->second.get<std::uint32_t>(), {}};
        if (const auto groups = values.find("UnixGroupIDs"); groups != values.end())
          credentials.groups = groups->second.get<std::vector<std::uint32_t>>();
        known(std::move(credentials));
      });
}

void Authority::ask(const Caller& caller, std::uint32_t uid, const Question& question,
                    const Verdict& verdict) {
  if (uid == 0)
    verdict(uid);
  else
    ask_polkit(caller, uid, question, verdict);
}

void Authority::ask_polkit(const Caller& caller, std::uint32_t uid, const Question& question,
                           Verdict verdict) {
  using Details = std::map<std::string, std::string>;
  // By name on the bus, never by process id: that one may belong to another process by now.
  const sdbus::Struct<std::string, std::map<std::string, sdbus::Variant>> subject{
      "system-bus-name", {{"name", sdbus::Variant(caller.name)}}};
  polkit_->callMethodAsync("CheckAuthorization")
      .onInterface(kAuthority)
      .withTimeout(kPatience)
      .withArguments(subject, question.action, question.details,
                     caller.interactive ? kAllowUserInteraction : std::uint32_t{0}, std::string())
      .uponReplyInvoke([action = question.action, uid, interactive = caller.interactive,
                        verdict = std::move(verdict)](
                           ReplyError error, const sdbus::Struct<bool, bool, Details>& answer) {
        if (error)
          verdict(fail(timed_out(*error, "polkit")
                           .value_or(denied(fmt::format(
                               "polkit does not answer ({}): only root may do this, uid {} is not",
                               error->getName(), uid)))));
        else if (std::get<0>(answer))
          verdict(uid);
        else if (std::get<1>(answer) && !interactive)
          verdict(fail(make_error(
              errors::kInteractive,
              fmt::format("`{}` needs the user to be asked, which the caller does not allow",
                          action))));
        else
          verdict(fail(denied(fmt::format("uid {} is not authorized to `{}`", uid, action))));
      });
}

}  // namespace memonline::bus
