// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads the reply of the Manager's GetHost.
#include "runtime/cli/service_snapshot.hpp"

#include <string_view>

#include "runtime/cli/bus_message.hpp"
#include "runtime/host/capture.hpp"

namespace memonline::cli {

namespace {

/// Reading the machine takes tens of milliseconds; after this time the command does it itself.
constexpr std::uint64_t kTimeout = 10'000'000;

std::vector<std::string> texts(sd_bus_message* message) {
  std::vector<std::string> found;
  if (bus().message_enter_container(message, 'a', "s") <= 0) return found;
  for (const char* text = ""; bus().message_read_basic(message, 's', &text) > 0;)
    found.emplace_back(text);
  bus().message_exit_container(message);
  return found;
}

std::vector<ServiceNews::Failing> failing(sd_bus_message* message) {
  std::vector<ServiceNews::Failing> found;
  if (bus().message_enter_container(message, 'a', "(ttis)") <= 0) return found;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  int error = 0;
  const char* text = "";
  while (bus().message_read(message, "(ttis)", &first, &last, &error, &text) > 0) {
    ServiceNews::Failing& one = found.emplace_back();
    one.blocks = {model::BlockId(first), model::BlockId(last)};
    one.error = error;
    one.text = text;
  }
  bus().message_exit_container(message);
  return found;
}

/// One entry of the dictionary; `document` contains the host.
void read_entry(sd_bus_message* reply, ServiceSnapshot& snapshot, std::string& document) {
  const char* key = "";
  const char* type = nullptr;
  char variant = 0;
  if (bus().message_read_basic(reply, 's', &key) <= 0 ||
      bus().message_peek_type(reply, &variant, &type) <= 0 || type == nullptr)
    return;
  const std::string_view name = key;
  const std::string_view is = type;
  bus().message_enter_container(reply, 'v', type);
  int fd = -1;
  if (name == "document" && is == "h" && bus().message_read_basic(reply, 'h', &fd) > 0)
    document = contents(fd);  // the message closes it
  else if (name == "own-parameters" && is == "as")
    snapshot.host.own_parameters = texts(reply);
  else if (name == "left-alone" && is == "as")
    snapshot.news.left_alone = texts(reply);
  else if (name == "failing" && is == "a(ttis)")
    snapshot.news.failing = failing(reply);
  else
    bus().message_skip(reply, type);
  bus().message_exit_container(reply);
}

}  // namespace

std::optional<ServiceSnapshot> ServiceClient::snapshot() {
  sd_bus_message* made = nullptr;
  if (bus().message_new_method_call(bus_.get(), &made, kName, kPath, kManager, "GetHost") < 0)
    return std::nullopt;
  const Message message(made);
  Error error;
  sd_bus_message* reply = nullptr;
  const int result = bus().call(bus_.get(), made, kTimeout, &error, &reply);
  const Message owned(reply);
  if (result < 0 || bus().message_enter_container(reply, 'a', "{sv}") <= 0) return std::nullopt;
  ServiceSnapshot snapshot;
  std::string document;
  while (bus().message_enter_container(reply, 'e', "sv") > 0) {
    read_entry(reply, snapshot, document);
    bus().message_exit_container(reply);
  }
  auto host = runtime::read_snapshot(document);
  if (!host) return std::nullopt;
  host->own_parameters = std::move(snapshot.host.own_parameters);
  host->name = "/";
  snapshot.host = std::move(*host);
  return snapshot;
}

}  // namespace memonline::cli
