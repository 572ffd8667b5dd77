// SPDX-License-Identifier: LGPL-2.1-or-later
// Undoing offlines memory: in slices where not all of it fits elsewhere at once, not at all where
// nothing does.
#include "runtime/apply/undo_room.hpp"

#include "compiler/kernel/model.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/host_builder.hpp"

namespace memonline {

using apply::BlocksBefore;
using apply::Program;
using apply::Task;
using model::BlockId;
using model::NodeId;
using model::Zone;

namespace {

constexpr std::uint64_t kBlock = 32768;  // pages

// Normal 0..15, a DIMM 32..47 in Movable, all of it in use; so many pages are free in Normal.
model::Host host(std::uint64_t free) {
  model::Host made = test::HostBuilder(model::Era::D)
                         .boot(0, 0, 16)
                         .dimm(0, 32, 0)
                         .dimm_online(0, 32, 16, Zone::Movable)
                         .build();
  for (const Zone zone : {Zone::Normal, Zone::Movable}) {
    made.nodes[0].use[static_cast<std::size_t>(zone)].free = zone == Zone::Normal ? free : 0;
    model::ZoneSpan& span = made.nodes[0].zones[static_cast<std::size_t>(zone)];
    span.managed = span.present;
  }
  return made;
}

std::string tasks_of(const Program& program) {
  std::string text;
  for (const Task& task : program.tasks)
    text += (text.empty() ? "" : ", ") +
            std::string(task.kind == Task::Kind::Offline ? "offline " : "online ") +
            std::to_string(task.blocks.first.value()) + ".." +
            std::to_string(task.blocks.last.value());
  return text;
}

Program undo(const model::Host& now, bool were_online) {
  BlocksBefore before{BlockId(32), BlockId(47), were_online, std::nullopt, NodeId(0)};
  if (were_online) before.zone = Zone::Normal;
  return apply::program_to_undo({before}, {}, now);
}

}  // namespace

TEST_CASE("undo: with room, all at once") {
  model::Host roomy = host(16 * kBlock);
  roomy.nodes[0].use[static_cast<std::size_t>(Zone::Movable)].free = 8 * kBlock;
  const Program program = undo(roomy, true);
  CHECK(tasks_of(program) == "offline 47..32, online 32..47");
  CHECK(apply::no_room_for(program.tasks, roomy).empty());
}

TEST_CASE("undo: a zone is changed back in slices that fit") {
  const auto now = host(9 * kBlock);
  const Program program = undo(now, true);
  CHECK(tasks_of(program) == "offline 39..32, online 32..39, offline 47..40, online 40..47");
  CHECK(apply::no_room_for(program.tasks, now).empty());
  CHECK(program.results == 32);
  for (const Task& task : program.tasks)
    CHECK(task.taken_from.has_value() == (task.kind == Task::Kind::Online));
}

TEST_CASE("undo: without room it says so, with the numbers") {
  const auto now = host(9 * kBlock);
  const std::string stays_offline = apply::no_room_for(undo(now, false).tasks, now);
  CHECK(stays_offline.find("2 GiB in use there must move") != std::string::npos);
  CHECK(stays_offline.find("at most 8 of these blocks (1GiB)") != std::string::npos);
  const auto full = host(kBlock / 2);
  CHECK_FALSE(apply::no_room_for(undo(full, true).tasks, full).empty());
}

}  // namespace memonline
