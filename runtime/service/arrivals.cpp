// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/service/arrivals.hpp"

#include <fmt/format.h>

#include "runtime/host/text.hpp"

namespace memonline::service {

namespace {

constexpr std::string_view kThere = "there";

model::BlockSet present(const model::Host& host) {
  model::BlockSet ranges;
  for (const model::BlockRun& run : host.blocks) ranges.add(run.range());
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
    known_.add({model::BlockId(*first), model::BlockId(*last)});
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

void Arrivals::forget(const model::BlockSet& removed) {
  if (!begun_ || removed.empty()) return;
  known_ = subtract(known_, removed);
  changed_ = true;
}

std::vector<model::BlockRange> Arrivals::fresh(const model::Host& host, bool offline_only,
                                               const model::BlockSet& left_alone) const {
  if (!begun_) return {};
  model::BlockSet came;
  for (const model::BlockRun& run : host.blocks) {
    const bool counts =
        run.state == model::State::Offline || (run.state == model::State::Online && !offline_only);
    if (counts && host.devices.at(run.device).origin != model::Origin::Boot) came.add(run.range());
  }
  return subtract(subtract(came, known_), left_alone).ranges();
}

void Arrivals::settle(const model::Host& host, const model::BlockSet& pending) {
  if (!begun_) return;
  // Blocks that still have to be onlined were not known before.
  model::BlockSet known = subtract(present(host), subtract(pending, known_));
  if (known == known_) return;
  known_ = std::move(known);
  changed_ = true;
}

Result<std::string, runtime::FileError> Arrivals::save() {
  if (!changed_) return std::string();
  changed_ = false;
  std::string lines;
  for (const model::BlockRange& range : known_)
    lines += fmt::format("{} {} {}\n", kThere, range.first, range.last);
  return write_kept(file_, boot_, lines);
}

}  // namespace memonline::service
