// SPDX-License-Identifier: LGPL-2.1-or-later
// A socket on which datagrams come and an error may, as they do on the kernel's: once its other end
// is closed, what is sent to it comes back as ECONNREFUSED of the next read.
#pragma once

#include <string_view>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace memonline::test {

class LocalDatagrams {
 public:
  LocalDatagrams() {
    sockaddr_in here{}, there{};
    receiver_ = bound(here);
    sender_ = bound(there);
    connect(receiver_, there);
    connect(sender_, here);
  }
  ~LocalDatagrams() {
    ::close(receiver_);
    if (sender_ >= 0) ::close(sender_);
  }
  LocalDatagrams(const LocalDatagrams&) = delete;
  LocalDatagrams& operator=(const LocalDatagrams&) = delete;

  /// Another descriptor of the receiving end, for who closes his.
  [[nodiscard]] int receiver() const { return ::fcntl(receiver_, F_DUPFD_CLOEXEC, 0); }
  void send(std::string_view text) const { (void)!::send(sender_, text.data(), text.size(), 0); }
  /// Nothing comes any more but the error.
  void fail() {
    ::close(sender_);
    sender_ = -1;
    (void)!::send(receiver_, "", 1, 0);
  }

 private:
  static int bound(sockaddr_in& address) {
    const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    (void)::bind(socket, reinterpret_cast<const sockaddr*>(&address), size);
    (void)::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
    return socket;
  }
  static void connect(int socket, const sockaddr_in& address) {
    (void)::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  int receiver_ = -1, sender_ = -1;
};

}  // namespace memonline::test
