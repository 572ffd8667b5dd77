// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/host/onliner_programs.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/space.hpp"
#include "runtime/host/text.hpp"
#include "runtime/host/udev_rules.hpp"

namespace memonline::runtime {

namespace {

template <std::size_t N>
bool has_any(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
    return text.find(word) != std::string_view::npos;
  });
}

bool contains(std::string_view text, std::string_view word) {
  return text.find(word) != std::string_view::npos;
}

/// Words as a shell splits them, without the quotes.
std::vector<std::string> split(std::string_view command) {
  std::vector<std::string> words;
  std::string word;
  char quote = 0;
  bool any = false;
  for (const char c : command) {
    if (quote != 0 ? c == quote : c == '"' || c == '\'') {
      quote = quote != 0 ? '\0' : c;
      any = true;
    } else if (quote == 0 && is_space(c)) {
      if (any || !word.empty()) words.push_back(std::exchange(word, {}));
      any = false;
    } else {
      word += c;
    }
  }
  if (any || !word.empty()) words.push_back(std::move(word));
  return words;
}

std::string base_name(std::string_view path) {
  return std::string(path.substr(path.rfind('/') + 1));
}

/// Programs that report, wait or log, and change no memory.
bool is_harmless(std::string_view name) {
  constexpr std::array<std::string_view, 24> kNames{"uname",
                                                    "systemd-detect-virt",
                                                    "logger",
                                                    "touch",
                                                    "true",
                                                    "test",
                                                    "[",
                                                    "grep",
                                                    "cat",
                                                    "sleep",
                                                    "udevadm",
                                                    "mkdir",
                                                    "systemd-escape",
                                                    "echo",
                                                    "lsmem",
                                                    "ln",
                                                    "rm",
                                                    "ndctl",
                                                    "modprobe",
                                                    "kmod",
                                                    "sysctl",
                                                    "printf",
                                                    "systemd-cat",
                                                    "numactl"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

/// memonline's own programs and units do not compete: 70-memonlined.rules starts the service.
bool is_ours(std::string_view name) {
  const std::string_view stem = name.substr(0, name.rfind('.'));
  return stem == "memonline" || stem == "memonlined" || stem == "memonline-apply" ||
         stem == "dbus-org.memonline1";
}

bool has_word(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

Onlines daxctl_onlines(const std::vector<std::string>& words) {
  if (has_word(words, "online-memory")) return Onlines::May;
  if (!has_word(words, "reconfigure-device")) return Onlines::No;
  // The effect of --check-config is in the configuration, which is read separately.
  const bool leaves = has_word(words, "--check-config") || has_word(words, "-C") ||
                      has_word(words, "--no-online") || has_word(words, "-N") ||
                      has_word(words, "devdax") || has_word(words, "--mode=devdax");
  return leaves ? Onlines::No : Onlines::May;
}

Onlines systemctl_onlines(const Tree* tree, const std::vector<std::string>& words) {
  constexpr std::array<std::string_view, 7> kStarts{
      "start",  "restart", "try-restart", "reload", "reload-or-restart", "try-reload-or-restart",
      "isolate"};
  bool starts = false;
  Onlines most = Onlines::No;
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i].starts_with('-')) continue;
    if (!starts) {
      if (std::find(kStarts.begin(), kStarts.end(), words[i]) == kStarts.end()) return Onlines::No;
      starts = true;
      continue;
    }
    const bool whole = words[i].find('.') != std::string::npos;
    most = std::max(most, unit_onlines(tree, whole ? words[i] : words[i] + ".service"));
  }
  return most;
}

/// A script without its comment lines; empty if it is not a text.
std::string script_text(std::string_view content) {
  if (content.substr(0, 4096).find('\0') != std::string_view::npos) return {};
  std::string text;
  while (!content.empty()) {
    const std::string_view line = take_until(content, '\n');
    if (!trimmed(line).starts_with('#')) text += std::string(line) + '\n';
  }
  return text;
}

bool mentions_onlining(std::string_view text) {
  constexpr std::array<std::string_view, 7> kWords{"/sys/devices/system/memory",
                                                   "chmem",
                                                   "online-memory",
                                                   "auto_online_blocks",
                                                   "online_movable",
                                                   "online_kernel",
                                                   "system-ram"};
  return has_any(text, kWords) || (contains(text, "online") && contains(text, "/state"));
}

Onlines file_onlines(const Tree* tree, const std::string& program) {
  if (tree == nullptr || program.empty()) return Onlines::Unread;
  std::vector<std::string> paths;
  if (program.front() == '/')
    paths = {program.substr(1)};
  else
    paths = {"usr/lib/udev/" + program, "lib/udev/" + program};
  for (std::string& path : paths) {
    if (path.starts_with("lib/") && tree->link("lib")) path.insert(0, "usr/");
    const std::string content = read_through_links(*tree, path);
    if (content.empty()) continue;
    const std::string text = script_text(content);
    if (text.empty()) return Onlines::Unread;
    return mentions_onlining(text) ? Onlines::May : Onlines::No;
  }
  return Onlines::Unread;
}

/// What follows `sh -c`, or the command itself.
std::string shell_text(const std::vector<std::string>& words) {
  const std::string name = base_name(words.front());
  if (name != "sh" && name != "bash" && name != "dash") return {};
  for (std::size_t i = 1; i + 1 < words.size(); ++i)
    if (words[i].starts_with('-') && words[i].find('c') != std::string::npos) return words[i + 1];
  return {};
}

Onlines words_online(const Tree* tree, const std::vector<std::string>& words) {
  const std::string name = base_name(words.front());
  if (name == "chmem")
    return has_word(words, "-d") || has_word(words, "--disable") ? Onlines::No : Onlines::May;
  if (name == "daxctl") return daxctl_onlines(words);
  if (name == "systemctl") return systemctl_onlines(tree, words);
  if (is_harmless(name) || is_ours(name)) return Onlines::No;
  return file_onlines(tree, words.front());
}

/// A line of a shell: each of its commands.
Onlines shell_onlines(const Tree* tree, std::string_view line) {
  Onlines most = Onlines::No;
  while (!line.empty()) {
    const std::size_t end = std::min(line.find_first_of(";&|\n"), line.size());
    std::vector<std::string> words = split(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
    constexpr std::array<std::string_view, 10> kNotCommands{"if", "then", "else", "do", "while",
                                                            "!",  "exec", "{",    "(",  "sudo"};
    while (!words.empty() &&
           std::find(kNotCommands.begin(), kNotCommands.end(), words.front()) != kNotCommands.end())
      words.erase(words.begin());
    if (words.empty()) continue;
    // The rest are builtins of the shell, and variables.
    const bool command = words.front().find('/') != std::string::npos || words.front() == "chmem" ||
                         words.front() == "daxctl" || words.front() == "systemctl";
    if (command) most = std::max(most, words_online(tree, words));
  }
  return most;
}

}  // namespace

Onlines command_onlines(const Tree* tree, std::string_view command) {
  constexpr std::array<std::string_view, 3> kCrashKernel{"kdump", "kexec", "crash"};
  constexpr std::array<std::string_view, 3> kFiles{"/state", "/online", "auto_online_blocks"};
  std::vector<std::string> words = split(command);
  if (words.empty() || has_any(command, kCrashKernel)) return Onlines::No;
  const std::string shell = shell_text(words);
  const bool writes = contains(command, ">") || contains(command, "tee ");
  if (!shell.empty() && writes && has_any(command, kFiles)) return Onlines::Writes;
  if (!shell.empty()) return shell_onlines(tree, shell);
  if (base_name(words.front()) == "systemd-run") {
    words.erase(words.begin());
    while (!words.empty() && words.front().starts_with('-')) words.erase(words.begin());
    if (words.empty()) return Onlines::No;
  }
  return words_online(tree, words);
}

Onlines unit_onlines(const Tree* tree, std::string_view unit) {
  constexpr std::array<std::string_view, 2> kCrashKernel{"kdump", "kexec"};
  if (unit.empty() || has_any(unit, kCrashKernel) || is_ours(unit)) return Onlines::No;
  std::vector<std::string> names{std::string(unit)};
  const std::size_t at = unit.find('@');
  const std::size_t dot = unit.rfind('.');
  if (at != std::string_view::npos && dot != std::string_view::npos && dot > at)
    names.push_back(std::string(unit.substr(0, at + 1)) + std::string(unit.substr(dot)));
  constexpr std::array<std::string_view, 5> kDirectories{
      "etc/systemd/system/", "run/systemd/system/", "usr/local/lib/systemd/system/",
      "usr/lib/systemd/system/", "lib/systemd/system/"};
  if (tree == nullptr) return Onlines::Unread;
  for (const std::string_view directory : kDirectories)
    for (const std::string& name : names) {
      const std::string path = std::string(directory) + name;
      const bool link = tree->link(path.c_str()).has_value();
      if (!link && !tree->exists(path.c_str())) continue;
      // Empty: masked by a link to /dev/null.
      const std::string text = read_through_links(*tree, path);
      Onlines most = Onlines::No;
      for (std::string_view rest(text); !rest.empty();) {
        std::string_view value = trimmed(take_until(rest, '\n'));
        const std::string_view key = trimmed(take_until(value, '='));
        if (key != "ExecStart" && key != "ExecStartPre" && key != "ExecStartPost") continue;
        value = trimmed(value);
        value.remove_prefix(std::min(value.find_first_not_of("-@:+!|"), value.size()));
        most = std::max(most, command_onlines(tree, value));
      }
      return most;
    }
  // The effect of daxctl's own unit is in its configuration, which is read separately.
  return unit.starts_with("daxdev-reconfigure@") ? Onlines::No : Onlines::Unread;
}

}  // namespace memonline::runtime
