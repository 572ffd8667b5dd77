// SPDX-License-Identifier: LGPL-2.1-or-later
// killat N WHO COMMAND...: runs a command and sends SIGKILL just before its Nth system call is
// carried out, counting those of its children too, in the order in which they come. WHO is `main`
// (the command itself), `child` (who was about to make that call) or `interrupt` (the command
// itself, with SIGINT instead). With N 0 nothing is sent. Prints how many calls there were, which
// was the first that makes or writes something, and the numbers of all that were made from the
// first write of a block's state to the last:
//   calls 412 first 231
//   writing 0 1 3 257 271
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>

#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

bool makes_something(const __ptrace_syscall_info& info) {
  const auto& call = info.entry;
  switch (call.nr) {
    case SYS_openat: return (call.args[2] & (O_WRONLY | O_RDWR | O_CREAT)) != 0;
    case SYS_open: return (call.args[1] & (O_WRONLY | O_RDWR | O_CREAT)) != 0;
    case SYS_mkdir:
    case SYS_mkdirat:
    case SYS_rename:
    case SYS_renameat:
    case SYS_renameat2:
    case SYS_unlink:
    case SYS_unlinkat: return true;
    default: return false;
  }
}

/// The calls made while blocks' states are written, by their numbers.
class Writing {
 public:
  void see(pid_t who, const __ptrace_syscall_info& info) {
    if (writes_state(who, info)) {
      begun_ = true;
      until_now_.insert(since_.begin(), since_.end());
      since_.clear();
    }
    if (begun_) since_.insert(info.entry.nr);
  }
  void print() const {
    std::printf("writing");
    for (const auto number : until_now_) std::printf(" %llu", number);
    std::printf("\n");
  }

 private:
  static bool writes_state(pid_t who, const __ptrace_syscall_info& info) {
    if (info.entry.nr != SYS_write || info.entry.args[2] < sizeof(long)) return false;
    errno = 0;
    const long word = ::ptrace(PTRACE_PEEKDATA, who, info.entry.args[1], nullptr);
    return errno == 0 && std::memcmp(&word, "online_", 7) == 0;
  }

  bool begun_ = false;
  std::set<unsigned long long> until_now_, since_;
};

int usage() {
  std::fputs("usage: killat N main|child|interrupt COMMAND...\n", stderr);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return usage();
  const long at = std::strtol(argv[1], nullptr, 10);
  const bool to_caller = std::strcmp(argv[2], "child") == 0;
  const int signal = std::strcmp(argv[2], "interrupt") == 0 ? SIGINT : SIGKILL;
  const pid_t command = ::fork();
  if (command == 0) {
    ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    ::raise(SIGSTOP);
    ::execvp(argv[3], argv + 3);
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(command, &status, 0);
  constexpr long kOptions = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                            PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL;
  ::ptrace(PTRACE_SETOPTIONS, command, nullptr, kOptions);
  ::ptrace(PTRACE_SYSCALL, command, nullptr, nullptr);
  long calls = 0;
  long first = 0;
  Writing writing;
  int result = 0;
  for (;;) {
    const pid_t who = ::waitpid(-1, &status, __WALL);
    if (who < 0) break;
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
      if (who == command) result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      continue;
    }
    if (!WIFSTOPPED(status)) continue;
    int deliver = WSTOPSIG(status);
    if (deliver == (SIGTRAP | 0x80)) {
      deliver = 0;
      __ptrace_syscall_info info{};
      ::ptrace(PTRACE_GET_SYSCALL_INFO, who, sizeof info, &info);
      if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
        ++calls;
        if (first == 0 && makes_something(info)) first = calls;
        writing.see(who, info);
        if (calls == at) ::kill(to_caller ? who : command, signal);
      }
    } else if (deliver == SIGTRAP || deliver == SIGSTOP) {
      deliver = 0;  // a new child's first stop, or a fork event
    }
    ::ptrace(PTRACE_SYSCALL, who, nullptr, deliver);
  }
  std::printf("calls %ld first %ld\n", calls, first);
  writing.print();
  return result;
}
