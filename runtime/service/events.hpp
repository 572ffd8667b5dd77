// SPDX-License-Identifier: LGPL-2.1-or-later
// The kernel's own word that memory blocks came, went, or changed: the kobject uevents of
// /devices/system/memory (kobject_uevent_env(), lib/kobject_uevent.c). The kernel's multicast group
// is heard, not udev's: it needs no udevd, and it is there in a private network namespace.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "compiler/base/result.hpp"
#include "compiler/model/host.hpp"

namespace memonline::service {

struct MemoryEvent {
  enum class Action : std::uint8_t { Add, Remove, Online, Offline };
  Action action = Action::Add;
  model::BlockId block;
  friend bool operator==(const MemoryEvent&, const MemoryEvent&) = default;
};

/// One datagram: "add@/devices/system/memory/memory32", NUL, then KEY=value strings. Empty for
/// what is no memory block, and for actions that change nothing (change, bind, ...).
std::optional<MemoryEvent> memory_event_of(std::string_view datagram);

/// A socket on which such datagrams come, without blocking.
class EventSource {
 public:
  /// The kernel's group. An errno if there is no such socket to be had.
  static Result<EventSource, int> of_kernel();
  /// A datagram socket of the caller's, which takes the kernel's place: in tests. Owned from here.
  static EventSource of_socket(int socket);
  EventSource(EventSource&& other) noexcept;
  EventSource& operator=(EventSource&&) = delete;
  ~EventSource();

  [[nodiscard]] int fd() const { return socket_; }

  struct Taken {
    std::vector<MemoryEvent> events;
    /// The socket's buffer overflowed (ENOBUFS): look at the machine itself.
    bool lost = false;
    bool more = false;  ///< may still be waiting
  };
  static constexpr int kMostAtOnce = 4096;
  /// What is waiting, at most so many of them. What did not come from the kernel is dropped.
  Taken take();

 private:
  EventSource(int socket, bool of_kernel) : socket_(socket), of_kernel_(of_kernel) {}
  int socket_;
  bool of_kernel_;
};

}  // namespace memonline::service
