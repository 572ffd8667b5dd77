// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/service/events.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <utility>

#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

namespace memonline::service {

namespace {

constexpr std::string_view kPrefix = "/devices/system/memory/memory";
constexpr unsigned kKernelGroup = 1;  // UEVENT_NL_BROADCAST_GROUP_KERNEL

std::optional<MemoryEvent::Action> action_of(std::string_view word) {
  if (word == "add") return MemoryEvent::Action::Add;
  if (word == "remove") return MemoryEvent::Action::Remove;
  if (word == "online") return MemoryEvent::Action::Online;
  if (word == "offline") return MemoryEvent::Action::Offline;
  return std::nullopt;
}

/// Uevents of the kernel have port 0 and come from uid 0; anything else is forged.
bool is_from_kernel(const msghdr& message, const sockaddr_nl& sender) {
  if (sender.nl_pid != 0) return false;
  for (const cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(const_cast<msghdr*>(&message), const_cast<cmsghdr*>(part)))
    if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_CREDENTIALS)
      return reinterpret_cast<const ucred*>(CMSG_DATA(part))->uid == 0;
  return false;
}

std::optional<std::uint64_t> number_of(std::string_view digits) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || digits.empty() || end != digits.data() + digits.size())
    return std::nullopt;
  return number;
}

std::uint64_t seqnum_in(std::string_view datagram) {
  constexpr std::string_view kKey{"\0SEQNUM=", 8};
  const auto at = datagram.find(kKey);
  if (at == std::string_view::npos) return 0;
  const std::string_view rest = datagram.substr(at + kKey.size());
  return number_of(rest.substr(0, rest.find('\0'))).value_or(0);
}

}  // namespace

std::optional<MemoryEvent> memory_event_of(std::string_view datagram) {
  const std::string_view header = datagram.substr(0, datagram.find('\0'));
  const auto at = header.find('@');
  if (at == std::string_view::npos) return std::nullopt;
  const auto action = action_of(header.substr(0, at));
  const std::string_view path = header.substr(at + 1);
  if (!action || path.substr(0, kPrefix.size()) != kPrefix) return std::nullopt;
  const auto number = number_of(path.substr(kPrefix.size()));
  if (!number) return std::nullopt;
  return MemoryEvent{*action, model::BlockId(*number), seqnum_in(datagram)};
}

bool is_waiting_dax(std::string_view datagram) {
  constexpr std::string_view kSubsystem{"\0SUBSYSTEM=dax\0", 15};
  const bool action = datagram.starts_with("add@") || datagram.starts_with("unbind@");
  return action && datagram.find(kSubsystem) != std::string_view::npos;
}

Result<EventSource, int> EventSource::of_kernel() {
  const int socket =
      ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
  if (socket < 0) return fail(static_cast<int>(errno));
  EventSource source(socket, true);
  const int yes = 1;
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = kKernelGroup;
  if (::setsockopt(socket, SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) != 0 ||
      ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return fail(static_cast<int>(errno));
  // As much as is allowed without a capability; a rescan follows if uevents do not fit.
  const int wished = 1 << 20;
  (void)::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &wished, sizeof wished);
  return source;
}

EventSource EventSource::of_socket(int socket) { return {socket, false}; }

EventSource::EventSource(EventSource&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), of_kernel_(other.of_kernel_) {}

EventSource::~EventSource() {
  if (socket_ >= 0) ::close(socket_);
}

EventSource::Taken EventSource::take() {
  Taken taken;
  for (int i = 0; i < kMaxAtOnce; ++i) {
    std::array<char, 2048> bytes;  // a uevent's buffer in the kernel is as large
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> control;
    sockaddr_nl sender{};
    iovec vector{bytes.data(), bytes.size()};
    msghdr message{};
    message.msg_name = &sender;
    message.msg_namelen = sizeof sender;
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t size = ::recvmsg(socket_, &message, MSG_DONTWAIT);
    if (size < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN) return taken;
      // On any other error (for example ENOMEM), pending uevents may be lost.
      taken.lost = true;
      if (errno == ENOBUFS) continue;
      return taken;
    }
    if (size == 0 && !of_kernel_) return taken;  // the other end is gone
    if (of_kernel_ && !is_from_kernel(message, sender)) continue;
    const std::string_view datagram(bytes.data(), static_cast<std::size_t>(size));
    if (const auto event = memory_event_of(datagram))
      taken.events.push_back(*event);
    else
      taken.waiting_dax = taken.waiting_dax || is_waiting_dax(datagram);
  }
  taken.more = true;
  return taken;
}

}  // namespace memonline::service
