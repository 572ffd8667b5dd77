// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/service/knob_lease.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "runtime/apply/report.hpp"
#include "runtime/service/kept_lines.hpp"

namespace memonline::service {

namespace {

// Memory that comes while they are being set goes through it: shut first, opened last, the others
// between.
constexpr auto kGate = "auto_online_blocks";
constexpr std::array<const char*, 3> kBehindGate{"auto_movable_ratio", "auto_movable_numa_aware",
                                                 "online_policy"};

}  // namespace

KnobLease::KnobLease(std::string file, std::string boot_id)
    : file_(std::move(file)), boot_id_(std::move(boot_id)) {
  load();
}

// Lines: "knob before now".
void KnobLease::load() {
  for (const auto& words : read_kept(file_, boot_id_))
    if (words.size() == 3) held_[words[0]] = {words[1], words[2]};
}

Result<std::string, runtime::FileError> KnobLease::save() const {
  std::string lines;
  for (const auto& [knob, held] : held_)
    lines += fmt::format("{} {} {}\n", knob, held.before, held.now);
  return write_kept(file_, boot_id_, lines);
}

Result<std::vector<std::string>, runtime::FileError> KnobLease::hold(
    const std::map<std::string, std::string>& wished, apply::MemoryPort& port,
    std::optional<model::BlockId> online_block) {
  std::vector<std::string> said;
  const auto before_all = held_;
  std::map<std::string, Held> released;
  for (auto held = held_.begin(); held != held_.end();) {
    if (wished.contains(held->first)) {
      ++held;
      continue;
    }
    released.insert(*held);
    held = held_.erase(held);
  }
  std::map<std::string, std::string> writes;
  for (const auto& [knob, value] : wished) {
    const apply::KnobView now = port.read_knob(knob);
    if (now.error != 0) continue;  // this kernel has none; the plan says what that means
    const auto held = held_.find(knob);
    if (held == held_.end()) {
      if (now.value() == value) continue;  // as it should be, and not ours
      held_[knob] = {std::string(now.value()), value};
    } else {
      held->second.now = value;
    }
    if (now.value() != value) writes[knob] = value;
  }
  if (released.empty() && writes.empty()) {
    held_ = before_all;
    return said;
  }
  // In the middle of an add the kernel reads them anew for each block (contract 3.7).
  if (online_block) (void)port.wait_for_adds(*online_block);
  if (auto saved = save(); !saved) {
    held_ = before_all;
    return fail(saved.error());
  }
  const auto write = [&](const std::string& knob) {
    const auto found = writes.find(knob);
    if (found == writes.end()) return;
    const std::string& value = found->second;
    const int error = port.write_knob(knob, value);
    said.push_back(
        error == 0
            ? fmt::format("{} set to {} (it said {})", knob, value, held_[knob].before)
            : fmt::format("{} could not be set to {}: {}", knob, value, apply::errno_text(error)));
    writes.erase(found);
  };
  if (writes.contains(kGate) && writes.at(kGate) == "offline") write(kGate);
  release_all(released, port, said);
  for (const char* knob : kBehindGate) write(knob);
  write(kGate);
  return said;
}

void KnobLease::release_all(const std::map<std::string, Held>& all, apply::MemoryPort& port,
                            std::vector<std::string>& said) {
  if (const auto gate = all.find(kGate); gate != all.end())
    said.push_back(release(kGate, gate->second, port));
  for (const auto& [knob, held] : all)
    if (knob != kGate) said.push_back(release(knob, held, port));
}

std::string KnobLease::release(const std::string& knob, const Held& held, apply::MemoryPort& port) {
  const apply::KnobView now = port.read_knob(knob);
  if (now.error == 0 && now.value() != held.now)
    return fmt::format("{} is {} by somebody else: left alone", knob, now.value());
  const int error = port.write_knob(knob, held.before);
  return error == 0 ? fmt::format("{} put back to {}", knob, held.before)
                    : fmt::format("{} could not be put back to {}: {}", knob, held.before,
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
