// SPDX-License-Identifier: LGPL-2.1-or-later
// Messages and errors of the bus that release themselves, and the address of the service.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>

#include <unistd.h>

#include "runtime/cli/bus_library.hpp"
#include "runtime/cli/service_client.hpp"

namespace memonline::cli {

inline constexpr auto kName = "org.memonline1";
inline constexpr auto kPath = "/org/memonline1";
inline constexpr auto kManager = "org.memonline1.Manager";

struct Unref {
  void operator()(sd_bus_message* message) const { bus().message_unref(message); }
};
using Message = std::unique_ptr<sd_bus_message, Unref>;

/// The whole contents of a file descriptor that was passed to us.
inline std::string contents(int fd) {
  std::string text;
  std::array<char, 16384> part{};
  for (;;) {
    const ssize_t read = ::pread(fd, part.data(), part.size(), static_cast<::off_t>(text.size()));
    if (read <= 0) return text;
    text.append(part.data(), static_cast<std::size_t>(read));
  }
}

struct Error : sd_bus_error {
  Error() : sd_bus_error{nullptr, nullptr, 0} {}
  ~Error() { bus().error_free(this); }
  Error(const Error&) = delete;
  Error& operator=(const Error&) = delete;
  [[nodiscard]] ServiceClient::Failure failure(int result) const {
    const char* text = message != nullptr ? message : std::strerror(-result);
    return {name != nullptr ? name : "", text};
  }
};

}  // namespace memonline::cli
