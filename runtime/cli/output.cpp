// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/cli/output.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "compiler/diag/diagnostic.hpp"
#include "compiler/text/json_writer.hpp"
#include "compiler/text/printable.hpp"
#include "runtime/base/file.hpp"

namespace memonline::cli {

namespace {

bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view{} : std::string_view{value};
}

bool use_color(ColorChoice choice, int descriptor) {
  if (choice != ColorChoice::Auto) return choice == ColorChoice::Always;
  if (!environment("NO_COLOR").empty()) return false;
  const std::string_view force = environment("CLICOLOR_FORCE");
  if (!force.empty() && force != "0") return true;
  return environment("TERM") != "dumb" && ::isatty(descriptor) == 1;
}

}  // namespace

bool color_errors(ColorChoice choice) { return use_color(choice, STDERR_FILENO); }
bool color_output(ColorChoice choice) { return use_color(choice, STDOUT_FILENO); }
bool color_output(ColorChoice choice, const std::string& path) {
  return path.empty() || path == "-" ? color_output(choice) : choice == ColorChoice::Always;
}

std::optional<std::size_t> terminal_width(int descriptor) {
  winsize size{};
  if (::ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return std::nullopt;
  return size.ws_col;
}

ExitStatus print(std::string_view text, ExitStatus status) {
  if (write_all(STDOUT_FILENO, text)) return status;
  return complain(ExitStatus::Failure,
                  fmt::format("cannot write standard output: {}", std::strerror(errno)));
}

ExitStatus print_to(const std::string& path, std::string_view text, ExitStatus status) {
  if (path.empty() || path == "-") return print(text, status);
  if (const auto written = runtime::write_file(path, text); !written)
    return complain(ExitStatus::Failure, written.error().message());
  return status;
}

void print_error(std::string_view text) { write_all(STDERR_FILENO, text); }

ExitStatus complain(ExitStatus status, std::string_view message, std::string_view hint) {
  print_error(hint.empty()
                  ? fmt::format("memonline: {}\n", printable(message))
                  : fmt::format("memonline: {}\nhint: {}\n", printable(message), printable(hint)));
  return status;
}

ExitStatus complain_as(Format format, ExitStatus status, std::string_view message,
                       std::string_view hint) {
  if (format != Format::Json) return complain(status, message, hint);
  text::JsonWriter json;
  json.begin_object().member("schema", "memonline.diagnostics/1");
  json.key("diagnostics").begin_array().begin_object();
  json.key("code").null().member("severity", diag::severity_name(diag::Severity::Error));
  json.member("message", message);
  for (const char* place : {"path", "line", "column", "begin", "end"}) json.key(place).null();
  for (const char* list : {"labels", "notes"}) json.key(list).begin_array().end_array();
  json.member("help", hint.empty() ? std::nullopt : std::optional(hint)).key("fixit").null();
  json.end_object().end_array().end_object();
  return print(std::move(json).finish(), status);
}

}  // namespace memonline::cli
