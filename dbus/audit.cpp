// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dbus/audit.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <systemd/sd-login.h>
#include <unistd.h>

#include "dbus/convert.hpp"
#include "dbus/errors.hpp"

namespace memonline::bus {

namespace {

using std::chrono::steady_clock;

// data/memonline.catalog explains both.
constexpr auto kDone = "MESSAGE_ID=8bf8f2cc7f7c4a3b9e3cbe400ac469e0";
constexpr auto kRefused = "MESSAGE_ID=ba233e7252ce4390a4c1345210743096";
constexpr int kNotice = 5, kWarning = 4;
constexpr std::size_t kMaxDigest = 80;   // "sha256:" and 64 digits; callers may send anything
constexpr std::size_t kMaxUsers = 1024;  ///< whose refusals are remembered

/// The caller was not authorized, or exceeded a limit; every other error is an answer.
bool is_refusal(const sdbus::Error& error) {
  constexpr std::array kNames{errors::kAccessDenied, errors::kInteractive, errors::kLimitsExceeded,
                              errors::kBusy};
  return std::any_of(kNames.begin(), kNames.end(),
                     [&](const char* name) { return std::string(error.getName()) == name; });
}

/// On one line, and without characters that would end a quoted value.
std::string quoted(std::string text) {
  for (char& c : text)
    if (c == '"')
      c = '\'';
    else if (static_cast<unsigned char>(c) < ' ')
      c = ' ';
  return '"' + text + '"';
}

/// The login session, otherwise the unit, of that process; empty if it is not visible. In the
/// service's sandbox only root's processes are: for others, OBJECT_PID makes journald add both.
std::string unit_of(std::uint32_t pid) {
  char* found = nullptr;
  if (sd_pid_get_session(static_cast<pid_t>(pid), &found) < 0 &&
      sd_pid_get_unit(static_cast<pid_t>(pid), &found) < 0)
    return {};
  const std::unique_ptr<char, decltype(&std::free)> owned(found, &std::free);
  return found;
}

/// The line for people and its fields for programs.
struct Entry {
  std::string line;
  std::vector<std::string> fields;
  void add(std::string_view key, std::string_view field, const std::string& value, bool quote) {
    line +=
        fmt::format("{}{}={}", line.empty() ? "audit: " : " ", key, quote ? quoted(value) : value);
    fields.push_back(fmt::format("{}={}", field, utf8(value)));
  }
};

}  // namespace

bool Audit::report_refusal(const Request& request, std::uint64_t& unreported) {
  const auto now = steady_clock::now();
  if (refusals_.size() > kMaxUsers) refusals_.clear();
  const auto [found, is_new] = refusals_.try_emplace(request.uid, Refusals{now, 0});
  Refusals& refusals = found->second;
  if (!is_new && now - refusals.reported < std::chrono::seconds(1)) {
    ++refusals.unreported;
    return false;
  }
  refusals.reported = now;
  unreported = std::exchange(refusals.unreported, 0);
  return true;
}

void Audit::answered(const Request& request, const sdbus::Error* error) {
  const bool refused = error != nullptr && is_refusal(*error);
  if (!request.changes && !refused) return;
  std::uint64_t unreported = 0;
  if (!request.changes && !report_refusal(request, unreported)) return;

  Entry entry;
  entry.add("op", "MEMONLINE_METHOD", request.method, true);
  if (request.uid) entry.add("uid", "MEMONLINE_UID", std::to_string(*request.uid), false);
  if (request.pid) {
    entry.add("pid", "MEMONLINE_PID", std::to_string(*request.pid), false);
    entry.fields.push_back(fmt::format("OBJECT_PID={}", *request.pid));
    if (const std::string unit = unit_of(*request.pid); !unit.empty())
      entry.add("unit", "MEMONLINE_UNIT", unit, true);
  }
  if (!request.digest.empty())
    entry.add("digest", "MEMONLINE_DIGEST", request.digest.substr(0, kMaxDigest), true);
  entry.add("result", "MEMONLINE_RESULT", error == nullptr ? "success" : "fail", true);
  if (error != nullptr) {
    entry.add("error", "MEMONLINE_ERROR", std::string(error->getName()), true);
    entry.add("reason", "MEMONLINE_REASON", std::string(error->getMessage()), true);
  }
  const auto took =
      std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - request.began);
  entry.add("duration_usec", "MEMONLINE_DURATION_USEC", std::to_string(took.count()), false);
  if (unreported > 0)
    entry.add("unreported", "MEMONLINE_UNREPORTED", std::to_string(unreported), false);
  entry.fields.emplace_back(refused ? kRefused : kDone);
  log_.record(refused ? kWarning : kNotice, entry.line, std::move(entry.fields));
}

}  // namespace memonline::bus
