// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/plan/order.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <tuple>
#include <vector>

#include <fmt/format.h>

#include "compiler/language/targets.hpp"
#include "compiler/plan/hotplug.hpp"

namespace memonline::plan {

using kernel::Model;
using kernel::Placed;
using kernel::Refusal;
using model::BlockId;
using model::Era;
using model::State;
using model::Zone;
using sema::Target;

namespace {

// Kernel memory first, then `auto` blocks, then Movable; blocks that must be offlined for a new
// zone follow those that are offline already.
enum class Stage {
  Normal,
  NormalRezoned,
  Auto,
  AutoRezoned,
  Movable,
  MovableRezoned,
  TakenOffline
};

struct Write {
  Stage stage = Stage::Normal;
  Target target = Target::Normal;
  model::WriteRun run;  // low to high until its direction is chosen
  std::optional<model::NodeId> node;
  std::optional<source::SourceSpan> span;
  [[nodiscard]] bool rezoned() const {
    return stage == Stage::NormalRezoned || stage == Stage::AutoRezoned ||
           stage == Stage::MovableRezoned || stage == Stage::TakenOffline;
  }
};

Stage stage_of(const Decision& d) {
  const bool online = d.blocks.state == State::Online;
  switch (d.target) {
    case Target::Normal: return online ? Stage::NormalRezoned : Stage::Normal;
    case Target::Movable: return online ? Stage::MovableRezoned : Stage::Movable;
    case Target::Auto: return online ? Stage::AutoRezoned : Stage::Auto;
    case Target::Offline:
    case Target::Keep: break;
  }
  return Stage::TakenOffline;
}

// The kernel may have onlined some of the new memory in its desired zone.
bool is_there(const Decision& d) {
  if (d.blocks.state != State::Online || d.blocks.zones.kind() != model::ValidZones::Kind::Listed)
    return false;
  const bool movable = d.blocks.zones[0] == Zone::Movable;
  return (d.target == Target::Movable && movable) ||
         ((d.target == Target::Normal || d.target == Target::Auto) && !movable);
}

std::vector<Write> writes_of(const Allocation& allocation) {
  std::vector<Write> writes;
  for (const Decision& d : allocation.decisions) {
    if (!d.change || is_there(d)) continue;
    Write write{stage_of(d), d.target, {d.blocks.first, d.blocks.last()}, d.blocks.node, d.span};
    const bool joins = !writes.empty() && writes.back().run.last + 1 == write.run.first &&
                       writes.back().stage == write.stage && writes.back().node == write.node &&
                       writes.back().span == write.span;
    if (joins)
      writes.back().run.last = write.run.last;
    else
      writes.push_back(write);
  }
  const auto key = [](const Write& w) {
    const bool down = w.target == Target::Movable || w.target == Target::Offline;
    const std::uint64_t at = w.run.first.value();
    return std::tuple(w.stage, w.node, down ? ~at : at);
  };
  std::stable_sort(writes.begin(), writes.end(),
                   [&](const Write& a, const Write& b) { return key(a) < key(b); });
  return writes;
}

model::WriteRun turned(model::WriteRun run, bool down) {
  return down ? model::WriteRun{run.high(), run.low()} : model::WriteRun{run.low(), run.high()};
}

model::OnlineWord word_for(Target target) {
  if (target == Target::Movable) return model::OnlineWord::OnlineMovable;
  if (target == Target::Normal) return model::OnlineWord::OnlineKernel;
  return model::OnlineWord::Online;
}

bool as_wished(Target target, Zone zone) {
  if (target == Target::Movable) return zone == Zone::Movable;
  if (target == Target::Normal) return model::is_kernel_zone(zone);
  return true;
}

/// Why a write cannot be made now: by a rule of the kernel, or for want of room.
struct Obstacle {
  Refusal refusal;
  std::optional<Fit> fit = {};
  std::uint64_t fitting = 0;  ///< blocks that would fit
};

/// The parts of a run of writes, and its progress.
struct Progress {
  Model& model;
  Room& room;
  std::vector<Step>& steps;
};

using Done = Result<std::monostate, Obstacle>;

class Orderer {
 public:
  Orderer(const source::SourceSet& files, Model& model, Room& room, std::vector<Step>& steps,
          Work& work)
      : files_(files),
        model_(model),
        room_(room),
        start_(model),
        room_at_start_(room),
        steps_(steps),
        work_(work),
        era_(model.state().era) {}

  // Applies the write to the model and appends its steps, or returns why it is impossible now.
  Done apply(const Write& write) {
    work_.spend(1 + (write.rezoned() ? room_.size() : 0));
    const bool fits = !write.rezoned() || fits_at_once(write);
    if (era_ >= Era::C1 && fits) return carry_out(write, {model_, room_, steps_});
    work_.spend(model_.state().runs.size() + steps_.size());
    // Earlier kernels refuse some orders, and slices may end for want of room: try on a copy.
    Model trial = model_;
    Room trial_room = room_;
    std::vector<Step> trial_steps = steps_;
    const Progress to{trial, trial_room, trial_steps};
    auto done = fits ? carry_out(write, to) : carry_out_in_slices(write, to);
    if (done) {
      model_ = std::move(trial);
      room_ = std::move(trial_room);
      steps_ = std::move(trial_steps);
    } else if (done.error().fit && !fits) {
      done.error().fitting = std::min(done.error().fitting, fitting_alone(write));
    }
    return done;
  }

 private:
  // A request for that many blocks alone fits, although no earlier step makes room for them.
  [[nodiscard]] std::uint64_t fitting_alone(const Write& write) const {
    Model model = start_;
    Room room = room_at_start_;
    std::vector<Step> steps;
    const auto done = carry_out_in_slices(write, {model, room, steps});
    return done ? write.run.count() : done.error().fitting;
  }

  Done carry_out(const Write& write, const Progress& to) const {
    if (write.rezoned()) {
      auto taken = take_offline(write, to);
      if (!taken || write.stage == Stage::TakenOffline) return taken;
    }
    const model::OnlineWord word = word_for(write.target);
    const model::WriteRun run = turned(write.run, goes_down(write, to.model));
    auto placed = to.model.online(run, word);
    if (!placed) return fail(Obstacle{placed.error()});
    for (const Placed& part : *placed) {
      if (!as_wished(write.target, part.zone))
        return fail(Obstacle{Refusal{
            kernel::Errno::Einval, part.blocks.first,
            fmt::format("this kernel would silently online it in {}", model::zone_name(part.zone)),
            in_the_way_of(to.model, write)}});
      to.room.give({write.node, part.zone, part.blocks.count()});
      add(to.steps, OnlineBlocks{word, part.blocks, write.node, part.zone}, write, why(write, run));
    }
    return std::monostate{};
  }

  // Slices from the end where the run starts; blocks that stay offline are not sliced, because none
  // of them is re-onlined in between.
  Done carry_out_in_slices(const Write& write, const Progress& to) const {
    const std::uint64_t least =
        write.stage == Stage::TakenOffline
            ? write.run.count()
            : std::max<std::uint64_t>((write.run.count() + kMaxSlices - 1) / kMaxSlices, 1);
    const bool down = write.target != Target::Normal;
    Write rest = write;
    while (rest.run.count() > 0) {
      work_.spend(to.room.size());
      const std::vector<Part> parts = parts_of(rest.run, to.model);
      const Part& part = down ? parts.back() : parts.front();
      const Leaving leaving{write.node, part.zone, part.run.count()};
      const std::uint64_t fitting = to.room.most(leaving);
      if (fitting < std::min(least, part.run.count()))
        return fail(Obstacle{
            Refusal{kernel::Errno::Einval, down ? part.run.high() : part.run.low(), "no room", {}},
            whole_fit(write, part.zone), write.run.count() - rest.run.count() + fitting});
      Write slice = rest;
      slice.run = down ? model::WriteRun{part.run.last - (fitting - 1), part.run.last}
                       : model::WriteRun{part.run.first, part.run.first + (fitting - 1)};
      if (auto done = carry_out(slice, to); !done) return done;
      if (slice.run.count() == rest.run.count()) break;
      if (down)
        rest.run.last = rest.run.last - fitting;
      else
        rest.run.first = rest.run.first + fitting;
    }
    return std::monostate{};
  }

  [[nodiscard]] bool fits_at_once(const Write& write) const {
    Room room = room_;
    for (const Part& part : parts_of(write.run, model_)) {
      const Leaving leaving{write.node, part.zone, part.run.count()};
      if (!room.judge(leaving).fits) return false;
      room.take(leaving);
    }
    return true;
  }

  /// Online blocks of one zone.
  struct Part {
    model::WriteRun run;
    Zone zone = Zone::Normal;
  };

  // One step per zone, by the present state.
  static std::vector<Part> parts_of(const model::WriteRun& run, const Model& model) {
    std::vector<Part> parts;
    for (BlockId block = run.low(); block <= run.high();) {
      const auto at = std::prev(model.state().runs.upper_bound(block.value()));
      const BlockId last = std::min(BlockId(at->first + at->second.count - 1), run.high());
      if (!parts.empty() && parts.back().zone == at->second.zone)
        parts.back().run.last = last;
      else
        parts.push_back({{block, last}, at->second.zone});
      block = last + 1;
    }
    return parts;
  }

  Done take_offline(const Write& write, const Progress& to) const {
    const std::vector<Part> parts = parts_of(write.run, to.model);
    for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
      const auto done = to.model.offline(turned(part->run, true));
      if (!done) return fail(Obstacle{done.error()});
      to.room.take({write.node, part->zone, part->run.count()});
      add(to.steps, OfflineBlocks{*done, write.node, part->zone}, write,
          "offline first: the kernel assigns the zone when it onlines a block");
    }
    return std::monostate{};
  }

  // All blocks of the write that are in this zone, before anything of it is written.
  [[nodiscard]] Fit whole_fit(const Write& write, Zone zone) const {
    Leaving leaving{write.node, zone, 0};
    for (const Part& part : parts_of(write.run, model_))
      if (part.zone == zone) leaving.count += part.run.count();
    return room_.judge(leaving);
  }

  bool goes_down(const Write& write, const Model& model) const {
    switch (write.target) {
      case Target::Movable: return true;  // the only legal direction in era A, later the fast one
      case Target::Normal: return era_ >= Era::C1 && write.run.count() > kShortKernelRun;
      case Target::Auto: break;
      case Target::Offline:
      case Target::Keep: return true;
    }
    if (write.run.count() <= kShortKernelRun) return false;
    work_.spend(2 * model.state().runs.size());
    // The kernel's pick may depend on the order; go down only where it does not.
    Model up = model;
    Model down = model;
    const auto a = up.online(turned(write.run, false), model::OnlineWord::Online);
    const auto b = down.online(turned(write.run, true), model::OnlineWord::Online);
    return a && b && a->size() == 1 && b->size() == 1 && a->front().zone == b->front().zone;
  }

  std::string why(const Write& write, model::WriteRun run) const {
    if (!write.span) return "no rule selects it: auto_online_blocks applies, as without memonline";
    switch (write.target) {
      case Target::Normal:
        return run.descending()
                   ? "kernel memory first; from the top down, because the kernel walks "
                     "the zone after each block"
                   : "kernel memory first";
      case Target::Auto: return "the kernel selects the zone; predicted by the model";
      case Target::Movable:
        if (model::is_era_a(era_))
          return "from the top down: only the last block of Normal can become Movable";
        return "after kernel memory; from the top down, because the kernel walks the zone after "
               "each block";
      case Target::Offline:
      case Target::Keep: break;
    }
    return {};
  }

  void add(std::vector<Step>& steps, Action action, const Write& write, std::string why) const {
    Step step;
    step.action = std::move(action);
    if (write.span) step.rule = rule_ref(files_, *write.span);
    step.why = std::move(why);
    steps.push_back(std::move(step));
  }

  // In eras A and B the border between Normal and Movable decides.
  static std::optional<BlockId> in_the_way_of(const Model& model, const Write& write) {
    const auto& state = model.state();
    const auto node = write.node ? state.nodes.find(*write.node) : state.nodes.end();
    if (node == state.nodes.end()) return std::nullopt;
    const auto& zone = node->second[write.target == Target::Movable ? Zone::Normal : Zone::Movable];
    if (zone.empty()) return std::nullopt;
    const std::uint64_t page =
        write.target == Target::Movable ? zone.span.end - 1 : zone.span.begin;
    return BlockId(page / state.pages_per_block);
  }

  const source::SourceSet& files_;
  Model& model_;
  Room& room_;
  const Model start_;
  const Room room_at_start_;
  std::vector<Step>& steps_;
  Work& work_;
  Era era_;
};

void report(const Write& write, const Obstacle& obstacle, model::Bytes block_size,
            diag::Sink& sink) {
  if (obstacle.fit) {
    report_shortage(write.run, *obstacle.fit, obstacle.fitting, block_size, write.span, sink);
    return;
  }
  const Refusal& refusal = obstacle.refusal;
  std::string message = fmt::format(
      "no order of writes makes {} {}: {}: {}", model::range_name(write.run.range()),
      name_in(language::kTargets, write.target), model::block_name(refusal.block), refusal.why);
  auto& d = sink.add(diag::Code::NoLegalOrder, write.span, std::move(message));
  if (refusal.in_the_way)
    d.notes.push_back(model::block_name(*refusal.in_the_way) + " is in the way");
  d.help =
      "on this kernel, request normal below and movable above (`rest normal, last ... movable`)";
}

}  // namespace

bool order_writes(const Allocation& allocation, const source::SourceSet& files, Model& model,
                  Room room, std::vector<Step>& steps, diag::Sink& sink, Work& work,
                  std::vector<model::WriteRun>* stuck) {
  work.spend(allocation.decisions.size());
  const std::vector<Write> writes = writes_of(allocation);
  std::vector<bool> written(writes.size());
  Orderer orderer(files, model, room, steps, work);
  // A write that is not legal yet may be so after another one moved the border.
  for (std::size_t first = 0; first < writes.size();) {
    std::optional<Obstacle> first_refusal;
    std::size_t at = first;
    for (; at < writes.size(); ++at) {
      if (written[at]) continue;
      if (work.exhausted()) return false;
      const auto done = orderer.apply(writes[at]);
      if (done) break;
      if (!first_refusal) first_refusal = done.error();
    }
    if (at == writes.size()) {
      report(writes[first], *first_refusal, model.host().block_size, sink);
      if (stuck != nullptr)
        for (std::size_t i = first; i < writes.size(); ++i)
          if (!written[i]) stuck->push_back(writes[i].run);
      return false;
    }
    written[at] = true;
    while (first < writes.size() && written[first]) ++first;
  }
  return true;
}

}  // namespace memonline::plan
