// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dbus/authorize.hpp"

#include <algorithm>
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
/// A user may have to look up a password.
constexpr auto kPatience = std::chrono::minutes(5);
/// The bus replies at once. If the service's queue is full of messages from clients, the reply is
/// lost, and the query is repeated.
constexpr auto kBusPatience = std::chrono::seconds(2);
constexpr unsigned kTries = 10;
constexpr std::uint32_t kAllowUserInteraction = 1;

sdbus::Error denied(const std::string& why) { return make_error(errors::kAccessDenied, why); }

/// The service received no reply in time. That says nothing about the caller's authorization.
std::optional<sdbus::Error> timed_out(const sdbus::Error& error, const char* whom) {
  const std::string& name = error.getName();
  if (name != "org.freedesktop.DBus.Error.NoReply" && name != "org.freedesktop.DBus.Error.Timeout")
    return std::nullopt;
  return make_error(errors::kTimedOut,
                    fmt::format("{} did not reply in time: try again later", whom));
}

bool is_late(const sdbus::Error& error) { return error.getName() == errors::kTimedOut; }

}  // namespace

Authority::Authority(sdbus::IConnection& connection, Gone gone)
    : bus_(make_proxy(connection, "org.freedesktop.DBus", "/org/freedesktop/DBus")),
      polkit_(make_proxy(connection, "org.freedesktop.PolicyKit1",
                         "/org/freedesktop/PolicyKit1/Authority")),
      gone_(std::move(gone)) {}

const Authority::Identity* Authority::known(const std::string& connection) const {
  const auto found = std::find_if(remembered_.begin(), remembered_.end(),
                                  [&](const Remembered& one) { return one.name == connection; });
  return found == remembered_.end() ? nullptr : &found->identity;
}

void Authority::identify(const std::string& connection, const Identified& identified) {
  if (const Identity* who = known(connection)) {
    check_presence(connection);
    identified(Identity(*who));
    return;
  }
  auto& waiting = waiting_[connection];
  waiting.push_back(identified);
  if (waiting.size() == 1) ask_bus(connection, kTries);
}

void Authority::remember(const std::string& name, const Identity& identity) {
  if (remembered_.size() < kMaxRemembered) {
    remembered_.push_back({name, identity});
    return;
  }
  remembered_[next_] = {name, identity};
  next_ = (next_ + 1) % kMaxRemembered;
}

// A connection that is known already is not identified again, which would show that it has left.
void Authority::check_presence(const std::string& name) {
  bus_->callMethodAsync("NameHasOwner")
      .onInterface("org.freedesktop.DBus")
      .withArguments(name)
      .uponReplyInvoke([this, name](ReplyError error, bool present) {
        if (!error && !present && gone_) gone_(name);
      });
}

// The process id is for the journal only: the uid suffices to identify the caller. Not
// GetConnectionCredentials: since dbus 1.15.8 each reply has a descriptor, and the bus queues at
// most 64 of them per receiver before it refuses all messages for it.
void Authority::ask_bus(const std::string& name, unsigned tries) {
  constexpr auto kBus = "org.freedesktop.DBus";
  const auto who = std::make_shared<Result<Identity, sdbus::Error>>(
      fail(denied("the bus cannot identify the caller")));
  bus_->callMethodAsync("GetConnectionUnixUser")
      .onInterface(kBus)
      .withTimeout(kBusPatience)
      .withArguments(name)
      .uponReplyInvoke([who](ReplyError error, std::uint32_t uid) {
        if (!error)
          *who = Identity{uid, std::nullopt};
        else
          *who = fail(timed_out(*error, "the bus")
                          .value_or(denied("cannot identify the caller: " + error->getMessage())));
      });
  // Replies arrive in order: by then the user is known, or that query has timed out, too.
  bus_->callMethodAsync("GetConnectionUnixProcessID")
      .onInterface(kBus)
      .withTimeout(kBusPatience)
      .withArguments(name)
      .uponReplyInvoke([this, who, name, tries](ReplyError error, std::uint32_t pid) {
        if (!*who && is_late(who->error()) && tries > 1) {
          ask_bus(name, tries - 1);
          return;
        }
        if (*who && !error) {
          (*who)->pid = pid;
          remember(name, **who);
        }
        identified(name, *who);
      });
}

void Authority::identified(const std::string& name, const Result<Identity, sdbus::Error>& who) {
  const auto waiting = waiting_.extract(name);
  if (waiting.empty()) return;
  for (const Identified& one : waiting.mapped()) one(who);
}

void Authority::credentials(const Caller& caller, Known known) {
  bus_->callMethodAsync("GetConnectionCredentials")
      .onInterface("org.freedesktop.DBus")
      .withArguments(caller.name)
      .uponReplyInvoke([known = std::move(known)](
                           ReplyError error, const std::map<std::string, sdbus::Variant>& values) {
        const auto uid = values.find("UnixUserID");
        if (error || uid == values.end()) {
          known(fail(denied("the bus cannot identify the caller")));
          return;
        }
        // dbus-daemon reports the groups since 1.13.
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
  // By bus name, never by process id, which may belong to another process by now.
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
                               "polkit is unavailable ({}): only root may do this, not uid {}",
                               error->getName(), uid)))));
        else if (std::get<0>(answer))
          verdict(uid);
        else if (std::get<1>(answer) && !interactive)
          verdict(fail(make_error(
              errors::kInteractive,
              fmt::format(
                  "`{}` requires interactive authorization, which the caller does not allow",
                  action))));
        else
          verdict(fail(denied(fmt::format("uid {} is not authorized for `{}`", uid, action))));
      });
}

}  // namespace memonline::bus
