// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/boot/tool.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace memonline::boot {

namespace {

/// How often to check whether the tool has ended.
constexpr std::chrono::milliseconds kLook{20};
/// From SIGTERM to SIGKILL.
constexpr std::chrono::seconds kGrace{5};
/// Reads that empty both pipes.
constexpr int kFullPipes = 64;

struct Pipe {
  std::array<int, 2> ends{-1, -1};
  bool open() { return ::pipe2(ends.data(), O_CLOEXEC) == 0; }
  void close(std::size_t end) {
    if (ends.at(end) >= 0) ::close(ends.at(end));
    ends.at(end) = -1;
  }
  Pipe() = default;
  ~Pipe() {
    close(0);
    close(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
};

/// In the child: only what is safe between fork and exec.
[[noreturn]] void become(const std::string& root, char* const* argv, const Pipe& out,
                         const Pipe& err) {
  std::array<char, 57> path{"PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"};
  std::array<char, 9> locale{"LC_ALL=C"};
  const std::array<char*, 3> environment{path.data(), locale.data(), nullptr};
  // A group of its own, so that a tool is killed with everything that it has started, and is not
  // interrupted when memonline is.
  ::setpgid(0, 0);
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (nothing >= 0) ::dup2(nothing, STDIN_FILENO);
  ::dup2(out.ends[1], STDOUT_FILENO);
  ::dup2(err.ends[1], STDERR_FILENO);
  const bool inside = root == "/" || ::chroot(root.c_str()) == 0;
  if (inside && ::chdir("/") == 0) ::execve(argv[0], argv, environment.data());
  const char* reason = std::strerror(errno);
  (void)!::write(STDERR_FILENO, reason, std::strlen(reason));
  ::_exit(127);
}

/// Reads from both pipes, waiting up to `patience`. Both at once, so that neither can fill up and
/// stop the tool. False: nothing was read.
bool read_some(std::array<pollfd, 2>& polled, ToolResult& ran, std::chrono::milliseconds patience) {
  std::array<char, 4096> buffer{};
  if (polled[0].fd < 0 && polled[1].fd < 0) {
    std::this_thread::sleep_for(patience);
    return false;
  }
  if (::poll(polled.data(), polled.size(), static_cast<int>(patience.count())) <= 0) return false;
  for (std::size_t i = 0; i < polled.size(); ++i) {
    if (polled.at(i).fd < 0 || polled.at(i).revents == 0) continue;
    const ssize_t got = ::read(polled.at(i).fd, buffer.data(), buffer.size());
    if (got > 0)
      (i == 0 ? ran.output : ran.errors).append(buffer.data(), static_cast<std::size_t>(got));
    else if (got == 0 || errno != EINTR)
      polled.at(i).fd = -1;
  }
  return true;
}

/// Until the tool itself has ended: a process that it leaves behind may hold the pipes for ever.
/// One that does not end in time is ended.
void watch(pid_t child, const Pipe& out, const Pipe& err, std::chrono::milliseconds deadline,
           ToolResult& ran) {
  using std::chrono::steady_clock;
  std::array<pollfd, 2> polled{pollfd{out.ends[0], POLLIN, 0}, pollfd{err.ends[0], POLLIN, 0}};
  auto until = steady_clock::now() + deadline;
  bool late = false;
  int status = 0;
  for (;;) {
    siginfo_t ended{};
    const int looked =
        ::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOHANG | WNOWAIT);
    if (looked == 0 && ended.si_pid == child) break;
    if (looked != 0 && errno != EINTR) return;
    if (steady_clock::now() >= until) {
      ::kill(-child, late ? SIGKILL : SIGTERM);  // politely first
      late = true;
      until = steady_clock::now() + kGrace;
    }
    read_some(polled, ran, kLook);
  }
  if (late) ::kill(-child, SIGKILL);  // processes that it left behind
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return;
  // Reads what is in the pipes, but no more: a process that was left behind may continue to write.
  for (int i = 0; i < kFullPipes && read_some(polled, ran, std::chrono::milliseconds(0)); ++i) {
  }
  ran.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (!late) return;
  if (ran.status == 0) ran.status = 128 + SIGTERM;
  ran.errors +=
      fmt::format("\ntimed out after {} s",
                  std::chrono::duration_cast<std::chrono::duration<double>>(deadline).count());
}

ToolResult run_below(const std::string& root, std::chrono::milliseconds deadline, Words argv) {
  ToolResult ran{127, {}, {}};
  Pipe out;
  Pipe err;
  std::vector<char*> words;
  words.reserve(argv.size() + 1);
  for (std::string& word : argv) words.push_back(word.data());
  words.push_back(nullptr);
  if (!out.open() || !err.open()) {
    ran.errors = std::strerror(errno);
    return ran;
  }
  const pid_t child = ::fork();
  if (child < 0) {
    ran.errors = std::strerror(errno);
    return ran;
  }
  if (child == 0) become(root, words.data(), out, err);
  out.close(1);
  err.close(1);
  watch(child, out, err, deadline, ran);
  return ran;
}

}  // namespace

Runner runner_below(const std::string& root, std::chrono::milliseconds deadline) {
  return [root, deadline](const Words& argv) { return run_below(root, deadline, argv); };
}

std::string last_lines(const std::string& text, std::size_t count) {
  Words lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (end > at) lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  std::string result;
  for (std::size_t i = lines.size() - std::min(count, lines.size()); i < lines.size(); ++i)
    result += (result.empty() ? "" : "; ") + lines[i];
  return result;
}

}  // namespace memonline::boot
