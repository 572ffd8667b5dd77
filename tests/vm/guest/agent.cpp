// SPDX-License-Identifier: LGPL-2.1-or-later
// The guest's end of the command channel (tests/vm/guest.py is the other): reads requests from a
// serial line, runs each with the shell, answers with what it wrote and how it ended.
//   request:  "<command bytes> <input bytes>\n" command input      (an ack '+' per 2 KiB received)
//   answer:   "<wait status> <stdout bytes> <stderr bytes>\n" stdout stderr
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

namespace {

// The tty holds 4 KiB; the host waits for an ack before it sends more than this.
constexpr std::size_t chunk = 2048;

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

int open_line(const char* path) {
  const int line = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (line < 0) die(path);
  termios settings{};
  if (tcgetattr(line, &settings) != 0) die("tcgetattr");
  cfmakeraw(&settings);
  cfsetspeed(&settings, B115200);
  if (tcsetattr(line, TCSANOW, &settings) != 0) die("tcsetattr");
  return line;
}

void send(int line, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t sent = write(line, data, size);
    if (sent <= 0) die("write");
    data += sent;
    size -= static_cast<std::size_t>(sent);
  }
}

std::string receive_header(int line) {
  std::string header;
  char character = 0;
  while (read(line, &character, 1) == 1 && character != '\n') header += character;
  return header;
}

std::string receive(int line, std::size_t size) {
  std::string data(size, '\0');
  for (std::size_t done = 0; done < size;) {
    const std::size_t end = std::min(size, done + chunk);
    while (done < end) {
      const ssize_t got = read(line, data.data() + done, end - done);
      if (got <= 0) die("read");
      done += static_cast<std::size_t>(got);
    }
    send(line, "+", 1);
  }
  return data;
}

// A file without a name, for output as large as it gets.
int scratch(const char* name) {
  const int file = memfd_create(name, MFD_CLOEXEC);
  if (file < 0) die("memfd_create");
  return file;
}

void send_file(int line, int file, off_t size) {
  char buffer[4096];
  lseek(file, 0, SEEK_SET);
  while (size > 0) {
    const ssize_t got = read(file, buffer, sizeof buffer);
    if (got <= 0) die("read");
    send(line, buffer, static_cast<std::size_t>(got));
    size -= got;
  }
}

void answer(int line, const std::string& command, const std::string& input) {
  const int in = scratch("stdin");
  const int out = scratch("stdout");
  const int err = scratch("stderr");
  send(in, input.data(), input.size());
  lseek(in, 0, SEEK_SET);
  const pid_t child = vfork();
  if (child == 0) {
    dup2(in, 0);
    dup2(out, 1);
    dup2(err, 2);
    setsid();
    execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    _exit(127);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) die("waitpid");
  const off_t out_size = lseek(out, 0, SEEK_END);
  const off_t err_size = lseek(err, 0, SEEK_END);
  const std::string header = std::to_string(status) + ' ' + std::to_string(out_size) + ' ' +
                             std::to_string(err_size) + '\n';
  send(line, header.data(), header.size());
  send_file(line, out, out_size);
  send_file(line, err, err_size);
  close(in);
  close(out);
  close(err);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const int line = open_line(argv[1]);
  send(line, "ready\n", 6);
  for (;;) {
    unsigned long command_size = 0;
    unsigned long input_size = 0;
    const std::string header = receive_header(line);
    if (std::sscanf(header.c_str(), "%lu %lu", &command_size, &input_size) != 2) die("request");
    const std::string command = receive(line, command_size);
    answer(line, command, receive(line, input_size));
  }
}
