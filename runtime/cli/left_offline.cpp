// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/cli/left_offline.hpp"

#include <filesystem>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "runtime/base/file.hpp"
#include "runtime/host/read_host.hpp"
#include "runtime/host/text.hpp"
#include "runtime/service/user_offline.hpp"

namespace memonline::cli {

namespace {

constexpr auto kFile = "/run/memonline/left-alone";

std::string below(const std::string& root, const std::string& path) {
  return (root == "/" ? "" : root) + path;
}

std::optional<service::UserOffline> left_alone_of(const std::string& root) {
  const auto boot = runtime::read_file(below(root, "/proc/sys/kernel/random/boot_id"));
  if (!boot) return std::nullopt;
  return service::UserOffline(below(root, kFile), std::string(runtime::trimmed(*boot)));
}

}  // namespace

std::string rule_for_left_alone(const std::string& root) {
  const auto left_alone = left_alone_of(root);
  if (!left_alone) return {};
  std::string blocks;
  for (const auto& [first, last] : left_alone->offline())
    blocks += fmt::format("{}{}-{}", blocks.empty() ? "" : ",", first, last);
  return blocks.empty() ? std::string() : fmt::format("block {}: keep\n", blocks);
}

OfflineNote::OfflineNote(std::string root, const model::Host& host)
    : root_(std::move(root)), online_before_(service::online_blocks(host)) {}

std::string OfflineNote::write(bool offlines) const {
  if (std::filesystem::exists(below(root_, std::string("/") + runtime::kServiceSign))) return {};
  // If there is nothing to forget either, the machine is not read again.
  if (!offlines && !std::filesystem::exists(below(root_, kFile))) return {};
  auto left_alone = left_alone_of(root_);
  const auto host = runtime::read_host(root_);
  if (!left_alone || !host) return {};
  for (const model::BlockRange& range : service::taken_offline(online_before_, *host))
    for (const model::BlockId block : range)
      left_alone->took_offline(block, service::UserOffline::By::Job);
  (void)left_alone->compare(*host, left_alone->mark());
  const auto saved = left_alone->save();
  return saved ? std::string() : saved.error().message();
}

}  // namespace memonline::cli
