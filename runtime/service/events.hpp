// SPDX-License-Identifier: LGPL-2.1-or-later
// Uevents of the kernel for memory blocks that were added, removed, or changed: those of
// /devices/system/memory (kobject_uevent_env(), lib/kobject_uevent.c); and for dax devices that
// have no driver. Received from the kernel's multicast group, not udev's: it needs no udevd, and
// works in a private network namespace.
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
  /// SEQNUM, which the kernel counts up with each uevent; 0: the datagram has none.
  std::uint64_t seqnum = 0;
  friend bool operator==(const MemoryEvent&, const MemoryEvent&) = default;
};

/// One datagram: "add@/devices/system/memory/memory32", NUL, then KEY=value strings. Empty for
/// devices that are not memory blocks, and for actions that change nothing (change, bind, ...).
std::optional<MemoryEvent> memory_event_of(std::string_view datagram);

/// Whether the datagram is of a dax device that came or that its driver left: a policy may make it
/// system RAM now.
bool is_waiting_dax(std::string_view datagram);

/// A nonblocking socket that receives such datagrams.
class EventSource {
 public:
  /// The kernel's group, or the errno of a failed socket.
  static Result<EventSource, int> of_kernel();
  /// A datagram socket that replaces the kernel's, for tests. Takes ownership.
  static EventSource of_socket(int socket);
  EventSource(EventSource&& other) noexcept;
  EventSource& operator=(EventSource&&) = delete;
  ~EventSource();

  [[nodiscard]] int fd() const { return socket_; }

  struct Taken {
    std::vector<MemoryEvent> events;
    bool waiting_dax = false;  ///< is_waiting_dax()
    /// The socket's buffer overflowed (ENOBUFS): the machine must be rescanned.
    bool lost = false;
    bool more = false;  ///< more may be pending
  };
  static constexpr int kMaxAtOnce = 4096;
  /// Pending events, at most kMaxAtOnce. Messages from other senders than the kernel are dropped.
  Taken take();

 private:
  EventSource(int socket, bool of_kernel) : socket_(socket), of_kernel_(of_kernel) {}
  int socket_;
  bool of_kernel_;
};

}  // namespace memonline::service
