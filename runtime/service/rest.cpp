// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/service/rest.hpp"

#include <filesystem>

#include <fmt/format.h>

#include "runtime/host/text.hpp"

namespace memonline::service {

namespace {

constexpr std::string_view kPolicy = "policy", kOnline = "online", kSettings = "settings";
constexpr std::string_view kKeep = "keep", kPutBack = "put-back";

std::string rest_file(const std::string& run_directory) { return run_directory + "/resting"; }

}  // namespace

std::vector<std::string> digests(const ReadyPolicy* policy) {
  std::vector<std::string> all;
  if (policy != nullptr)
    for (const plan::PolicyRef& file : policy->refs) all.push_back(file.sha256);
  return all;
}

// Lines: "settings keep|put-back", "policy SHA256", "online first last".
std::optional<Rest> read_rest(const std::string& run_directory, const std::string& boot) {
  const auto lines = read_kept(rest_file(run_directory), boot);
  if (lines.empty()) return std::nullopt;
  Rest rest;
  std::vector<model::BlockRange> online;
  for (const auto& words : lines) {
    if (words.size() == 2 && words[0] == kSettings) rest.keeps_switches = words[1] == kKeep;
    if (words.size() == 2 && words[0] == kPolicy) rest.policies.push_back(words[1]);
    if (words.size() != 3 || words[0] != kOnline) continue;
    const auto first = runtime::decimal(words[1]);
    const auto last = runtime::decimal(words[2]);
    if (first && last && *first <= *last)
      online.push_back({model::BlockId(*first), model::BlockId(*last)});
  }
  rest.online = model::BlockSet(std::move(online));
  return rest;
}

Result<std::string, runtime::FileError> write_rest(const std::string& run_directory,
                                                   const std::string& boot, const Rest& rest) {
  std::string lines = fmt::format("{} {}\n", kSettings, rest.keeps_switches ? kKeep : kPutBack);
  for (const std::string& digest : rest.policies) lines += fmt::format("{} {}\n", kPolicy, digest);
  for (const auto& [first, last] : rest.online)
    lines += fmt::format("{} {} {}\n", kOnline, first, last);
  return write_kept(rest_file(run_directory), boot, lines);
}

void remove_rest(const std::string& run_directory) {
  std::error_code ignored;
  std::filesystem::remove(rest_file(run_directory), ignored);
}

Round put_back(Target& target) {
  const auto rest = read_rest(target.run_directory(), boot_id());
  if (!rest) return {};
  PendingWrites pending;
  Round round = Reconciler(target, pending, {}).let_go(rest->keeps_switches);
  if (round.problem.empty()) remove_rest(target.run_directory());
  return round;
}

}  // namespace memonline::service
