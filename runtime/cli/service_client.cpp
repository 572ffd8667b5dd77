// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/cli/service_client.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <string_view>
#include <thread>

#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/deflate.hpp"
#include "runtime/cli/bus_message.hpp"
#include "runtime/cli/confirm.hpp"
#include "runtime/cli/output.hpp"
#include "runtime/cli/progress.hpp"
#include "runtime/host/read_host.hpp"

namespace memonline::cli {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr auto kJob = "org.memonline1.Job";
// Code decides by these names; texts are for people (dbus/errors.hpp).
constexpr std::string_view kAnotherRun = "org.memonline1.Error.AnotherRun";
constexpr std::string_view kNothingToDo = "org.memonline1.Error.NothingToDo";
constexpr std::string_view kPlanStale = "org.memonline1.Error.PlanStale";
constexpr std::string_view kTimedOut = "org.memonline1.Error.TimedOut";
constexpr std::string_view kAccessDenied = "org.freedesktop.DBus.Error.AccessDenied";
constexpr std::string_view kInteractive =
    "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired";
constexpr std::string_view kLimitsExceeded = "org.freedesktop.DBus.Error.LimitsExceeded";
// Errors of the bus and libsystemd once the service has left the bus, and of the next service about
// a job of the one before.
constexpr std::array<std::string_view, 5> kGone{
    "org.freedesktop.DBus.Error.NoReply", "org.freedesktop.DBus.Error.NameHasNoOwner",
    "org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.UnknownObject",
    "org.freedesktop.DBus.Error.Disconnected"};
// Of this client.
constexpr auto kEndedUnconfirmed = "EndedUnconfirmed";
constexpr auto kEnded = "Ended";
// Bytes of a plan in a message; a longer one goes compressed (org.memonline1.Manager.xml).
constexpr std::size_t kMaxMessage = std::size_t{64} << 10U;
// A person may be asked for a password meanwhile.
constexpr std::uint64_t kTimeout = 300'000'000;

/// The next value of a message as text, whatever integer, string or file it is.
std::string text_of(sd_bus_message* message, char type) {
  const char* text = "";
  std::uint64_t number = 0;
  int fd = -1;
  switch (type) {
    case 'h': return bus().message_read_basic(message, type, &fd) > 0 ? contents(fd) : "";
    case 's':
    case 'o': bus().message_read_basic(message, type, &text); return text;
    case 't': bus().message_read_basic(message, type, &number); return fmt::to_string(number);
    default: break;
  }
  bus().message_skip(message, std::string(1, type).c_str());
  return {};
}

/// An a{st}.
void read_numbers(sd_bus_message* message, const std::string& prefix,
                  std::map<std::string, std::string>& values) {
  if (bus().message_enter_container(message, 'a', "{st}") <= 0) return;
  const char* key = "";
  std::uint64_t value = 0;
  while (bus().message_read(message, "{st}", &key, &value) > 0)
    values[prefix + key] = std::to_string(value);
  bus().message_exit_container(message);
}

/// An a{sv} of texts and numbers; a dictionary in it is flattened: "Report.text".
void read_dictionary(sd_bus_message* message, const std::string& prefix,
                     std::map<std::string, std::string>& values) {
  if (bus().message_enter_container(message, 'a', "{sv}") <= 0) return;
  while (bus().message_enter_container(message, 'e', "sv") > 0) {
    const char* key = "";
    bus().message_read_basic(message, 's', &key);
    const char* contents = nullptr;
    char type = 0;
    bus().message_peek_type(message, &type, &contents);
    if (contents != nullptr && std::strcmp(contents, "a{st}") == 0) {
      bus().message_enter_container(message, 'v', contents);
      read_numbers(message, prefix + key + ".", values);
      bus().message_exit_container(message);
    } else if (contents != nullptr && std::strcmp(contents, "a{sv}") == 0) {
      bus().message_enter_container(message, 'v', contents);
      read_dictionary(message, prefix + key + ".", values);
      bus().message_exit_container(message);
    } else if (contents != nullptr && std::strlen(contents) == 1) {
      bus().message_enter_container(message, 'v', contents);
      values[prefix + key] = text_of(message, contents[0]);
      bus().message_exit_container(message);
    } else {
      bus().message_skip(message, "v");
    }
    bus().message_exit_container(message);
  }
  bus().message_exit_container(message);
}

std::optional<RenderedReport> report_of(const std::map<std::string, std::string>& values,
                                        const std::string& which) {
  const auto document = values.find(which + ".document");
  if (document == values.end()) return std::nullopt;
  using Result = apply::Report::Result;
  const std::string& result = values.at(which + ".result");
  return RenderedReport{result == "complete" ? Result::Complete
                        : result == "partly" ? Result::Partly
                                             : Result::Failed,
                        document->second, values.at(which + ".text")};
}

/// The progress of a job, by its properties.
CurrentState current_state_of(const std::map<std::string, std::string>& values,
                              std::uint64_t block_size) {
  const auto number = [&](const char* name) {
    std::uint64_t value = 0;
    if (const auto found = values.find(name); found != values.end())
      std::from_chars(found->second.data(), found->second.data() + found->second.size(), value);
    return value;
  };
  CurrentState state;
  state.steps = number("StepsTotal");
  state.step = std::min(number("StepsDone") + 1, state.steps);
  state.done = number("BlocksDone");
  state.blocks = number("Blocks");
  state.block_size = block_size;
  if (const auto step = values.find("CurrentStep"); step != values.end()) state.at = step->second;
  return state;
}

bool exists(const char* sign) {
  struct stat found {};
  return ::stat((std::string("/") + sign).c_str(), &found) == 0 || errno != ENOENT;
}

/// Without asking the bus: on the system bus, a file shows that memonlined is running, or would be
/// started by a call.
bool may_be_there() {
  return std::getenv("DBUS_SYSTEM_BUS_ADDRESS") != nullptr || exists(runtime::kServiceSign) ||
         exists(runtime::kRestSign);
}

/// Lets the bus start it where it is at rest; false if that fails, too.
bool is_there(sd_bus* opened) {
  const auto ask = [&](const char* method, const char* types, auto... values) {
    sd_bus_message* reply = nullptr;
    const int result =
        bus().call_method(opened, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                          "org.freedesktop.DBus", method, nullptr, &reply, types, kName, values...);
    return std::pair(result >= 0, Message(reply));
  };
  const auto [asked, reply] = ask("NameHasOwner", "s");
  int has_owner = 0;
  if (!asked || bus().message_read(reply.get(), "b", &has_owner) < 0) return false;
  if (has_owner != 0) return true;
  return exists(runtime::kRestSign) && ask("StartServiceByName", "su", 0U).first;
}

std::uint32_t seconds_of(milliseconds time) {
  return static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::seconds>(time + milliseconds(999)).count());
}

}  // namespace

struct ServiceClient::Properties {
  std::map<std::string, std::string> values;
  [[nodiscard]] const std::string& operator[](const char* name) { return values[name]; }
};

void ServiceClient::Close::operator()(sd_bus* opened) const { bus().flush_close_unref(opened); }

std::optional<ServiceClient> ServiceClient::find(const std::string& root) {
  if (root != "/" || !may_be_there() || !bus().loaded) return std::nullopt;
  sd_bus* opened = nullptr;
  if (bus().open_system(&opened) < 0) return std::nullopt;
  ServiceClient client(opened);
  if (!is_there(opened)) return std::nullopt;
  return client;
}

Result<std::string, ServiceClient::Failure> ServiceClient::call(const char* method,
                                                                const char* types, ...) {
  std::va_list values;
  va_start(values, types);
  auto answer = call_with(method, [&](sd_bus_message* made) {
    return *types == '\0' ? 0 : bus().message_appendv(made, types, values);
  });
  va_end(values);
  return answer;
}

Result<std::string, ServiceClient::Failure> ServiceClient::call_with_bytes(
    const char* method, const std::string& bytes) {
  return call_with(method, [&](sd_bus_message* made) {
    return bus().message_append_array(made, 'y', bytes.data(), bytes.size());
  });
}

Result<std::string, ServiceClient::Failure> ServiceClient::call_with(
    const char* method, const std::function<int(sd_bus_message*)>& append) {
  sd_bus_message* made = nullptr;
  int result = bus().message_new_method_call(bus_.get(), &made, kName, kPath, kManager, method);
  const Message message(made);
  if (result >= 0) bus().message_may_ask(made, 1);
  if (result >= 0) result = append(made);
  Error error;
  sd_bus_message* reply = nullptr;
  if (result >= 0) result = bus().call(bus_.get(), made, kTimeout, &error, &reply);
  const Message owned(reply);
  if (result < 0) return fail(error.failure(result));
  char type = 0;
  const char* contents = nullptr;
  if (bus().message_peek_type(reply, &type, &contents) <= 0) return std::string();
  return text_of(reply, type);
}

Result<ServiceClient::Properties, ServiceClient::Failure> ServiceClient::properties(
    const std::string& path, const char* interface) {
  Error error;
  sd_bus_message* reply = nullptr;
  const int result =
      bus().call_method(bus_.get(), kName, path.c_str(), "org.freedesktop.DBus.Properties",
                        "GetAll", &error, &reply, "s", interface);
  const Message owned(reply);
  if (result < 0) return fail(error.failure(result));
  Properties now;
  read_dictionary(reply, "", now.values);
  return now;
}

void ServiceClient::read_long_reports(const std::string& job,
                                      std::map<std::string, std::string>& values) {
  Error error;
  sd_bus_message* reply = nullptr;
  const int result =
      bus().call_method(bus_.get(), kName, job.c_str(), kJob, "ReportToFile", &error, &reply, "");
  const Message owned(reply);
  if (result < 0) return;
  std::map<std::string, std::string> files;
  read_dictionary(reply, "", files);
  for (const auto& [name, text] : files) {
    const bool undone = name.starts_with("undone.");
    values[(undone ? "Undone." : "Report.") + name.substr(name.find('.') + 1)] = text;
  }
}

Result<ServiceClient::Outcome, ServiceClient::Failure> ServiceClient::wait_for(
    const std::string& job, std::optional<milliseconds> confirm,
    const volatile std::sig_atomic_t* stops) {
  constexpr std::uint64_t kPollInterval = 250'000;
  const std::string match = fmt::format("type='signal',sender='{}',path='{}'", kName, job);
  bus().add_match(bus_.get(), nullptr, match.c_str(), nullptr, nullptr);
  Progress progress;
  bool asked = false;
  std::string attempts;
  bool keyboard = ::isatty(STDIN_FILENO) == 1;
  std::sig_atomic_t seen = 0;
  for (;;) {
    auto now = properties(job, kJob);
    if (!now) {
      Failure failure = now.error();
      if (std::find(kGone.begin(), kGone.end(), failure.name) != kGone.end())
        failure.name = confirm ? kEndedUnconfirmed : kEnded;
      return fail(failure);
    }
    if ((*now)["State"] == "done") {
      // Long reports are missing in properties.
      if (now->values.contains("Report.result") && !now->values.contains("Report.document"))
        read_long_reports(job, now->values);
      return Outcome{(*now)["Error"], (*now)["ErrorName"], report_of(now->values, "Report"),
                     report_of(now->values, "Undone")};
    }
    if (*stops != seen) {
      seen = *stops;
      if (auto ended = call("Cancel", "o", job.c_str()); !ended) return fail(ended.error());
    }
    if (confirm && (*now)["State"] == "confirming") {
      progress.clear();
      if (!asked) ask_for_confirmation(*confirm, keyboard);
      asked = true;
      if (entered(keyboard, milliseconds(kPollInterval / 1000)))
        if (auto kept = call("Confirm", ""); !kept) return fail(kept.error());
      continue;
    }
    if ((*now)["State"] == "waiting" && (*now)["Attempts"] != attempts) {
      attempts = (*now)["Attempts"];
      progress.clear();
      print_error(fmt::format("{}; press ^C to stop retrying\n", (*now)["Error"]));
    }
    if ((*now)["State"] == "running") progress.show(current_state_of(now->values, block_size_));
    bus().wait(bus_.get(), kPollInterval);
    while (bus().process(bus_.get(), nullptr) > 0) {
    }
  }
}

// A run beside the service may hold the lock.
Result<ServiceClient::Outcome, ServiceClient::Failure> ServiceClient::run_job(
    const std::function<Result<std::string, Failure>()>& begin, std::optional<milliseconds> confirm,
    milliseconds patience, const volatile std::sig_atomic_t* stops) {
  const auto until = steady_clock::now() + patience;
  for (;;) {
    const auto job = begin();
    if (!job) return fail(job.error());
    auto outcome = wait_for(*job, confirm, stops);
    const bool busy = outcome && outcome->error_name == kAnotherRun;
    if (!busy || steady_clock::now() >= until || *stops != 0) return outcome;
    std::this_thread::sleep_for(milliseconds(200));
  }
}

Result<std::string, ServiceClient::Failure> ServiceClient::submit(const std::string& plan) {
  if (plan.size() <= kMaxMessage) return call("SubmitPlan", "s", plan.c_str());
  const auto stream = runtime::deflate(plan);
  if (!stream) return fail(Failure{{}, std::string(runtime::message_of(stream.error()))});
  return call_with_bytes("SubmitCompressedPlan", *stream);
}

Result<ServiceClient::Outcome, ServiceClient::Failure> ServiceClient::apply(
    const std::string& plan, model::Bytes block_size, const RunOptions& options,
    std::optional<milliseconds> confirm, const volatile std::sig_atomic_t* stops) {
  block_size_ = block_size.value();
  const auto digest = submit(plan);
  if (!digest) return fail(digest.error());
  const std::uint32_t limit = options.deadline ? seconds_of(*options.deadline) : 0;
  const bool second = confirm || options.retry;  // they exclude each other
  const char* name = confirm ? "confirm-seconds" : "retry-seconds";
  const std::uint32_t time = confirm         ? seconds_of(*confirm)
                             : options.retry ? seconds_of(*options.retry)
                                             : 0;
  const auto begin = [&] {
    const char* plan_digest = digest->c_str();
    if (limit != 0 && second)
      return call("Apply", "sa{sv}", plan_digest, 2, "deadline-seconds", "u", limit, name, "u",
                  time);
    if (limit != 0) return call("Apply", "sa{sv}", plan_digest, 1, "deadline-seconds", "u", limit);
    if (second) return call("Apply", "sa{sv}", plan_digest, 1, name, "u", time);
    return call("Apply", "sa{sv}", plan_digest, 0);
  };
  return run_job(begin, confirm, options.wait, stops);
}

Result<ServiceClient::Outcome, ServiceClient::Failure> ServiceClient::undo(
    const RunOptions& options, const volatile std::sig_atomic_t* stops) {
  return run_job([&] { return call("Undo", ""); }, std::nullopt, options.wait, stops);
}

std::optional<ServiceClient::Failure> ServiceClient::confirm() {
  const auto kept = call("Confirm", "");
  if (kept) return std::nullopt;
  return kept.error();
}

std::map<std::string, std::uint64_t> ServiceClient::counters() {
  constexpr std::string_view kPrefix = "Counters.";
  std::map<std::string, std::uint64_t> counters;
  const auto now = properties(kPath, kManager);
  if (!now) return counters;
  for (const auto& [name, text] : now->values) {
    std::uint64_t value = 0;
    const char* end = text.data() + text.size();
    if (name.starts_with(kPrefix) && std::from_chars(text.data(), end, value).ptr == end)
      counters.emplace(name.substr(kPrefix.size()), value);
  }
  return counters;
}

void add_refused(const ServiceClient::Failure& failure, diag::Sink& sink) {
  const std::string_view name = failure.name;
  if (name == kPlanStale) {
    sink.add(diag::Code::PlanStale, std::nullopt, failure.message).help =
        "plan again, review the new plan, and apply it";
    return;
  }
  if (name == kEnded || name == kEndedUnconfirmed) {
    sink.add(diag::Code::CannotChange, std::nullopt,
             name == kEnded ? "memonlined stopped before the run was complete"
                            : "memonlined stopped before the run was confirmed, and undoes it")
        .help = "`memonline status` shows the current state";
    return;
  }
  auto& d = sink.add(diag::Code::CannotChange, std::nullopt,
                     fmt::format("memonlined refused: {}", failure.message));
  if (name == kTimedOut || name == kLimitsExceeded)
    d.help = "memonlined is busy: try again later";
  else if (name == kAccessDenied || name == kInteractive)
    d.help = "use sudo, or let polkit authorize you for `org.memonline1.apply`";
  else
    d.help = "`--direct` bypasses memonlined";
}

void add_failed(const ServiceClient::Outcome& outcome, diag::Sink& sink) {
  const std::string& error = outcome.error;
  if (outcome.error_name == kAnotherRun)
    sink.add(diag::Code::AnotherRun, std::nullopt, error).help =
        "use `--wait` to wait for it to finish";
  else if (outcome.error_name == kNothingToDo)
    sink.add(diag::Code::NothingToUndo, std::nullopt,
             "nothing was applied since this machine was booted, or it was already undone");
  else
    sink.add(diag::Code::CannotChange, std::nullopt, error);
}

}  // namespace memonline::cli
