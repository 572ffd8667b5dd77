// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/service/knob_lease.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "compiler/model/knob.hpp"
#include "runtime/apply/report.hpp"
#include "runtime/service/kept_lines.hpp"

namespace memonline::service {

using model::Knob;
using model::knob_name;

namespace {

// auto_online_blocks decides about memory that arrives while the settings change: `offline` is
// written before the others, any other value after them.
constexpr Knob kGate = Knob::AutoOnlineBlocks;
constexpr std::array kBehindGate{Knob::AutoMovableRatio, Knob::AutoMovableNumaAware,
                                 Knob::OnlinePolicy};

constexpr std::string_view kDeferred = "deferred";
// After a third write of the other process, the service defers to it.
constexpr int kMaxCorrections = 2;

}  // namespace

KnobLease::KnobLease(std::string file, std::string boot_id)
    : file_(std::move(file)), boot_id_(std::move(boot_id)) {
  load();
}

// Lines: "knob before now", followed by "deferred" if another process has set it.
void KnobLease::load() {
  for (const auto& words : read_kept(file_, boot_id_)) {
    const bool deferred = words.size() == 4 && words[3] == kDeferred;
    const auto knob = words.empty() ? std::nullopt : model::knob_named(words[0]);
    if (knob && (words.size() == 3 || deferred))
      held_[*knob] = {words[1], words[2], 0, deferred, {}};
  }
}

Result<std::string, runtime::FileError> KnobLease::save() const {
  std::string lines;
  for (const auto& [knob, held] : held_)
    lines += fmt::format("{} {} {}{}\n", knob_name(knob), held.before, held.now,
                         held.deferred ? fmt::format(" {}", kDeferred) : "");
  return write_kept(file_, boot_id_, lines);
}

Result<std::vector<std::string>, runtime::FileError> KnobLease::hold(
    const std::map<model::Knob, std::string>& wished, apply::MemoryPort& port,
    std::optional<model::BlockId> online_block) {
  std::vector<std::string> said;
  const auto before_all = held_;
  std::map<model::Knob, Held> released;
  for (auto held = held_.begin(); held != held_.end();) {
    if (wished.contains(held->first)) {
      ++held;
      continue;
    }
    released.insert(*held);
    held = held_.erase(held);
  }
  std::map<model::Knob, std::string> writes;
  for (const auto& [knob, value] : wished) {
    const apply::KnobView now = port.read_knob(knob);
    if (now.error != 0) continue;  // not in this kernel; the plan describes the consequences
    const auto held = held_.find(knob);
    if (held == held_.end()) {
      if (now.value() == value) continue;  // as required, and not changed by us
      held_[knob] = {std::string(now.value()), value};
    } else if (held->second.now != value) {
      held->second = {held->second.before, value, 0, false, {}};
    } else if (defers(knob, held->second, now.value(), said)) {
      continue;
    }
    if (now.value() != value) writes[knob] = value;
  }
  if (released.empty() && writes.empty()) {
    if (held_ != before_all) (void)save();
    return said;
  }
  // During an add, the kernel reads the settings again for each block (kernel rule 9.3).
  if (online_block) (void)port.wait_for_adds(*online_block);
  if (auto saved = save(); !saved) {
    held_ = before_all;
    return fail(saved.error());
  }
  const auto write = [&](Knob knob) {
    const auto found = writes.find(knob);
    if (found == writes.end()) return;
    const std::string& value = found->second;
    const int error = port.write_knob(knob, value);
    said.push_back(error == 0 ? fmt::format("{} set to {} (was {})", knob_name(knob), value,
                                            held_[knob].before)
                              : fmt::format("cannot set {} to {}: {}", knob_name(knob), value,
                                            apply::errno_text(error)));
    writes.erase(found);
  };
  if (writes.contains(kGate) && writes.at(kGate) == "offline") write(kGate);
  release_all(released, port, said);
  for (const Knob knob : kBehindGate) write(knob);
  write(kGate);
  return said;
}

// Whether the service defers to another process, which wrote `now`.
bool KnobLease::defers(model::Knob knob, Held& held, std::string_view now,
                       std::vector<std::string>& said) {
  held.other = now == held.now ? "" : now;
  if (held.deferred || held.other.empty()) return held.deferred;
  if (held.corrections < kMaxCorrections) {
    ++held.corrections;
    return false;
  }
  held.deferred = true;
  said.push_back(
      fmt::format("another process keeps setting {} to {}: left unchanged after memonline set it "
                  "to {} {} times",
                  knob_name(knob), now, held.now, kMaxCorrections + 1));
  return true;
}

std::optional<std::string> KnobLease::before(model::Knob knob) const {
  const auto held = held_.find(knob);
  return held == held_.end() ? std::nullopt : std::optional(held->second.before);
}

std::vector<std::string> KnobLease::deferred() const {
  std::vector<std::string> sentences;
  for (const auto& [knob, held] : held_)
    if (held.deferred && !held.other.empty())
      sentences.push_back(fmt::format("{} was set to {} by another process; the policy requires {}",
                                      knob_name(knob), held.other, held.now));
  return sentences;
}

void KnobLease::release_all(const std::map<model::Knob, Held>& all, apply::MemoryPort& port,
                            std::vector<std::string>& said) {
  if (const auto gate = all.find(kGate); gate != all.end())
    said.push_back(release(kGate, gate->second, port));
  for (const auto& [knob, held] : all)
    if (knob != kGate) said.push_back(release(knob, held, port));
}

std::string KnobLease::release(model::Knob knob, const Held& held, apply::MemoryPort& port) {
  const apply::KnobView now = port.read_knob(knob);
  if (now.error == 0 && now.value() != held.now)
    return fmt::format("{} is {}, set by another process: left unchanged", knob_name(knob),
                       now.value());
  const int error = port.write_knob(knob, held.before);
  return error == 0 ? fmt::format("{} restored to {}", knob_name(knob), held.before)
                    : fmt::format("cannot restore {} to {}: {}", knob_name(knob), held.before,
                                  apply::errno_text(error));
}

std::vector<std::string> KnobLease::put_back(apply::MemoryPort& port,
                                             std::optional<model::BlockId> online_block) {
  std::vector<std::string> said;
  if (held_.empty()) return said;
  if (online_block) (void)port.wait_for_adds(*online_block);
  release_all(held_, port, said);
  held_.clear();
  (void)save();
  return said;
}

}  // namespace memonline::service
