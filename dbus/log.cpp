// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dbus/log.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

// The location in this file is of no use to readers of the journal.
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

namespace memonline::bus {

namespace {

/// A block failed; data/memonline.catalog explains it.
constexpr auto kBlockFailed = "MESSAGE_ID=5cb1c1d2a6714a8b8e2f0f6c1d3a9b47";

/// JOURNAL_STREAM names the file that systemd connected to standard error; it may have been
/// redirected since.
bool stderr_is_journal() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat status {};
  return stream != nullptr && ::fstat(STDERR_FILENO, &status) == 0 &&
         fmt::format("{}:{}", status.st_dev, status.st_ino) == stream;
}

/// A field may occur several times: a search for any block of the range finds the message. A
/// message has room for 1,024 fields (ENTRY_FIELD_COUNT_MAX of systemd's journal-importer.h).
void name_blocks(const model::WriteRun& run, std::vector<std::string>& lines) {
  constexpr std::uint64_t kMax = 256;
  for (std::uint64_t i = 0; i < std::min(run.count(), kMax); ++i)
    lines.push_back("MEMONLINE_BLOCK=" + model::block_name(run.low() + i));
}

}  // namespace

Log::Log() : journal_(stderr_is_journal()) {}

void Log::say(int priority, const std::string& message,
              const service::Listener::Fields& fields) const {
  std::vector<std::string> lines;
  if (fields.blocks) name_blocks(*fields.blocks, lines);
  if (!fields.rule.empty()) lines.push_back("MEMONLINE_RULE=" + fields.rule);
  if (fields.error != 0) lines.emplace_back(kBlockFailed);
  if (fields.error != 0) lines.push_back(fmt::format("MEMONLINE_ERRNO={}", fields.error));
  record(priority, message, std::move(lines));
}

void Log::record(int priority, const std::string& message, std::vector<std::string> fields) const {
  if (!journal_) {
    std::fputs(fmt::format("<{}>{}\n", priority, message).c_str(), stderr);
    return;
  }
  fields.insert(fields.begin(),
                {fmt::format("PRIORITY={}", priority), fmt::format("MESSAGE={}", message),
                 "SYSLOG_IDENTIFIER=memonlined"});
  std::vector<iovec> parts;
  parts.reserve(fields.size());
  for (std::string& line : fields) parts.push_back({line.data(), line.size()});
  sd_journal_sendv(parts.data(), static_cast<int>(parts.size()));
}

}  // namespace memonline::bus
