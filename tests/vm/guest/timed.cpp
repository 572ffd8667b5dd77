// SPDX-License-Identifier: LGPL-2.1-or-later
// timed COMMAND...: runs a command and prints how long it took, from fork to exit: `ms 12.3`.
#include <chrono>
#include <cstdio>

#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const auto began = std::chrono::steady_clock::now();
  const pid_t child = ::fork();
  if (child == 0) {
    ::execvp(argv[1], argv + 1);
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began;
  std::printf("ms %.1f\n", took.count());
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
