// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/service/arrivals.hpp"

#include <fmt/format.h>

#include "runtime/host/text.hpp"

namespace memonline::service {

namespace {

constexpr std::string_view kThere = "there";

BlockRanges present(const model::Host& host) {
  BlockRanges ranges;
  for (const model::BlockRun& run : host.blocks)
    extend(ranges, run.first.value(), run.last().value());
  return ranges;
}

BlockRanges without(const BlockRanges& all, const BlockRanges& less) {
  BlockRanges ranges;
  for (auto [first, last] : all) {
    bool some = true;
    for (const auto& [begin, end] : less) {
      if (end < first || begin > last) continue;
      if (begin > first) ranges.emplace_back(first, begin - 1);
      some = end < last;
      if (!some) break;
      first = end + 1;
    }
    if (some) ranges.emplace_back(first, last);
  }
  return ranges;
}

}  // namespace

// Lines: "there first last".
Arrivals::Arrivals(std::string file, std::string boot)
    : file_(std::move(file)), boot_(std::move(boot)) {
  for (const auto& words : read_kept(file_, boot_)) {
    if (words.size() != 3 || words[0] != kThere) continue;
    const auto first = runtime::decimal(words[1]);
    const auto last = runtime::decimal(words[2]);
    if (!first || !last || *last < *first) continue;
    known_ = united(known_, {{*first, *last}});
    begun_ = true;
  }
}

void Arrivals::begin(const model::Host& host) {
  if (begun_) return;
  begun_ = changed_ = true;
  known_ = present(host);
}

void Arrivals::end() {
  changed_ = changed_ || begun_;
  begun_ = false;
  known_.clear();
}

void Arrivals::forget(const BlockRanges& removed) {
  if (!begun_ || removed.empty()) return;
  known_ = without(known_, removed);
  changed_ = true;
}

std::vector<model::BlockRange> Arrivals::fresh(const model::Host& host, bool offline_only,
                                               const BlockRanges& left_alone) const {
  std::vector<model::BlockRange> ranges;
  if (!begun_) return ranges;
  BlockRanges came;
  for (const model::BlockRun& run : host.blocks) {
    const bool counts =
        run.state == model::State::Offline || (run.state == model::State::Online && !offline_only);
    if (counts && host.devices.at(run.device).origin != model::Origin::Boot)
      extend(came, run.first.value(), run.last().value());
  }
  for (const auto& [first, last] : without(without(came, known_), left_alone))
    ranges.push_back({model::BlockId(first), model::BlockId(last)});
  return ranges;
}

void Arrivals::settle(const model::Host& host, const BlockRanges& pending) {
  if (!begun_) return;
  // What waits to be dealt with has not been known before.
  BlockRanges known = without(present(host), without(pending, known_));
  if (known == known_) return;
  known_ = std::move(known);
  changed_ = true;
}

Result<std::string, runtime::FileError> Arrivals::save() {
  if (!changed_) return std::string();
  changed_ = false;
  std::string lines;
  for (const auto& [first, last] : known_) lines += fmt::format("{} {} {}\n", kThere, first, last);
  return write_kept(file_, boot_, lines);
}

}  // namespace memonline::service
