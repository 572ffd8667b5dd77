// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/host/udev_steer.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/host/udev_rules.hpp"

namespace memonline::runtime {

namespace {

constexpr std::string_view kHeader =
    "# Written by memonlined, which brings memory online itself; gone when it stops.\n";

std::string rules_directory(const std::string& root) {
  return (root == "/" ? std::string() : root) + "/run/udev/rules.d";
}

bool is_vendors(std::string_view path) {
  return path.starts_with("usr/lib/") || path.starts_with("usr/local/lib/") ||
         path.starts_with("lib/");
}

}  // namespace

std::string without_writes(std::string_view rules, const std::vector<StateRule>& writes) {
  std::string changed;
  std::size_t at = 0;
  for (const StateRule& write : writes) {
    changed += rules.substr(at, write.begin - at);
    changed += R"(ENV{.memonline}="steered")";
    at = write.end;
  }
  changed += rules.substr(at);
  return changed;
}

Result<std::vector<std::string>, FileError> steer_udev(const std::string& root,
                                                       const model::Host& host) {
  // Copies that an earlier service left are not the vendor's text.
  unsteer_udev(root);
  std::vector<std::string> steered;
  const auto tree = open_directory(root);
  if (!tree) return steered;
  const std::string directory = rules_directory(root);
  for (const RulesFile& file : udev_rules(**tree)) {
    if (!is_vendors(file.path)) continue;
    const auto writes = rules_for_blocks(file.text, host);
    if (writes.empty()) continue;
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error)
      return fail(FileError{directory, "make", error.value(), std::strerror(error.value())});
    // With its slash in front.
    const std::string path = directory + file.path.substr(file.path.rfind('/'));
    auto written = write_file(path, fmt::format("{}# It replaces /{}.\n{}", kHeader, file.path,
                                                without_writes(file.text, writes)));
    if (!written) return fail(written.error());
    // udev reads it as root, but users need to see it, too.
    ::chmod(path.c_str(), 0644);
    steered.push_back("/" + file.path);
  }
  return steered;
}

void unsteer_udev(const std::string& root) {
  std::error_code error;
  std::vector<std::filesystem::path> ours;
  for (const auto& entry : std::filesystem::directory_iterator(rules_directory(root), error)) {
    const auto text = read_file(entry.path().string());
    if (text && std::string_view(*text).substr(0, kHeader.size()) == kHeader)
      ours.push_back(entry.path());
  }
  for (const auto& path : ours) ::unlink(path.c_str());
}

}  // namespace memonline::runtime
