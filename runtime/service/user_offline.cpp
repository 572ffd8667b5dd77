// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/service/user_offline.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "compiler/model/dax.hpp"
#include "compiler/render/plan.hpp"
#include "runtime/host/text.hpp"

namespace memonline::service {

using model::BlockId;
using model::State;

namespace {

// A file with more was not written by memonline.
constexpr std::uint64_t kMaxBlocks = std::uint64_t{1} << 20U;
constexpr std::string_view kOthers = "others", kJob = "job";

}  // namespace

model::BlockSet online_blocks(const model::Host& host) {
  model::BlockSet ranges;
  for (const model::BlockRun& run : host.blocks)
    if (run.state == State::Online) ranges.add(run.range());
  return ranges;
}

model::BlockSet taken_offline(const model::BlockSet& online_before, const model::Host& now) {
  model::BlockSet offline;
  for (const model::BlockRun& run : now.blocks)
    if (run.state == State::Offline) offline.add(run.range());
  // Deconfigured or unbound by then.
  return intersect(online_before, unite(offline, model::without_blocks(now)));
}

UserOffline::UserOffline(std::string file, std::string boot)
    : file_(std::move(file)), boot_(std::move(boot)) {
  load();
}

// Lines: "first last others" or "first last job".
void UserOffline::load() {
  for (const auto& words : read_kept(file_, boot_)) {
    if (words.size() != 3 || (words[2] != kOthers && words[2] != kJob)) continue;
    const auto first = runtime::decimal(words[0]);
    const auto last = runtime::decimal(words[1]);
    if (!first || !last || *last < *first || *last - *first >= kMaxBlocks - offline_.size())
      continue;
    for (const BlockId block : model::BlockRange{BlockId(*first), BlockId(*last)})
      offline_[block] = {words[2] == kJob ? By::Job : By::Others, ++count_};
  }
}

void UserOffline::took_offline(BlockId block, By by) {
  online_.erase(block);
  offline_[block] = {by, ++count_};
  changed_ = true;
}

void UserOffline::brought_online(BlockId block) { online_[block] = {"", ++count_}; }

bool UserOffline::forget(BlockId block) {
  online_.erase(block);
  const bool known = offline_.erase(block) > 0;
  changed_ = changed_ || known;
  return known;
}

bool UserOffline::compare(const model::Host& host, std::uint64_t mark) {
  if (host.blocks.empty()) return false;  // it could not be read
  const model::BlockSet may_return = model::without_blocks(host);
  const bool some = std::erase_if(offline_, [&](const auto& entry) {
                      const model::BlockRun* run = host.find_block(entry.first);
                      const bool gone = run == nullptr && !may_return.contains(entry.first);
                      return entry.second.number <= mark &&
                             (gone || (run != nullptr && run->state == State::Online));
                    }) > 0;
  changed_ = changed_ || some;
  return some;
}

std::vector<std::string> UserOffline::look_at(const std::vector<plan::StatusRun>& runs,
                                              std::uint64_t mark) {
  std::vector<std::string> fresh;
  for (auto block = online_.begin(); block != online_.end();) {
    const auto run = std::find_if(runs.begin(), runs.end(), [&](const plan::StatusRun& one) {
      return one.blocks.range().contains(block->first);
    });
    Online& online = block->second;
    if (online.number > mark || run == runs.end() || run->blocks.state != State::Online) {
      ++block;
      continue;
    }
    if (!run->drift) {
      block = online_.erase(block);
      continue;
    }
    const bool known = !online.zone.empty();
    online.zone = plan::zone_text(run->blocks).value_or("an unknown zone");
    if (!known)
      fresh.push_back(fmt::format("{} was onlined in {} by another process",
                                  model::block_name(block->first), online.zone));
    ++block;
  }
  return fresh;
}

model::BlockSet UserOffline::ranges(const By* by) const {
  model::BlockSet ranges;
  for (const auto& [id, offline] : offline_)
    if (by == nullptr || offline.by == *by) ranges.add(id);
  return ranges;
}

model::BlockSet UserOffline::offline_by_jobs() const {
  const By job = By::Job;
  return ranges(&job);
}

std::vector<std::string> UserOffline::sentences(const model::BlockSet& missed) const {
  std::vector<std::string> sentences;
  model::BlockSet others, jobs;
  for (const auto& [id, offline] : offline_) {
    if (offline.by == By::Others)
      others.add(id);
    else if (missed.contains(id))
      jobs.add(id);
  }
  const auto add = [&](const auto& range, std::string_view what) {
    sentences.push_back(fmt::format("{} {} {}", model::range_name(range),
                                    range.first == range.last ? "was" : "were", what));
  };
  for (const auto& range : others) add(range, "offlined by another process");
  for (const auto& range : jobs) add(range, "offlined on request");
  std::map<std::string, model::BlockSet> zones;
  for (const auto& [id, online] : online_)
    if (!online.zone.empty()) zones[online.zone].add(id);
  for (const auto& [zone, ranges] : zones)
    for (const auto& range : ranges)
      add(range, fmt::format("onlined in {} by another process", zone));
  return sentences;
}

Result<std::string, runtime::FileError> UserOffline::save() {
  if (!changed_) return std::string();
  changed_ = false;
  std::string lines;
  for (const By by : {By::Others, By::Job})
    for (const auto& [first, last] : ranges(&by))
      lines += fmt::format("{} {} {}\n", first, last, by == By::Job ? kJob : kOthers);
  return write_kept(file_, boot_, lines);
}

}  // namespace memonline::service
