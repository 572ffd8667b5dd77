// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads the machine, plans and writes for the service. All of it may block, so it has a thread of
// its own. Boot, hotplug and requests of clients all end up here. No other thread may call it while
// that thread runs: results leave it in a Round.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "compiler/base/work.hpp"
#include "compiler/model/host.hpp"
#include "compiler/plan/drift.hpp"
#include "compiler/plan/plan.hpp"
#include "runtime/apply/report.hpp"
#include "runtime/apply/runner.hpp"
#include "runtime/apply/unconfirmed.hpp"
#include "runtime/service/arrivals.hpp"
#include "runtime/service/knob_lease.hpp"
#include "runtime/service/pending_writes.hpp"
#include "runtime/service/policy_in_force.hpp"
#include "runtime/service/target.hpp"

namespace memonline::service {

/// The plan for the current state of the machine.
struct Plans {
  std::shared_ptr<const model::Host> host;  ///< null: it could not be read, see `problem`
  std::uint64_t seqnum = 0;  ///< of the last uevent before the host was read; 0: unknown
  std::shared_ptr<const plan::Plan> plan;
  model::BlockSet missed;  ///< of the blocks left unchanged, those that the policy would change
  diag::Sink sink;
  std::string problem;
};
/// For any thread. Without a policy, or once `cancelled` is true, there is a host but no plan.
/// `complete` adds facts to the host that only the service knows.
Plans plan_now(Target& target, const ReadyPolicy* policy, const model::BlockSet& left_alone,
               const std::function<void(model::Host&)>& complete = {},
               const Cancelled& cancelled = {});

std::optional<model::BlockId> some_online_block(const model::Host& host);

/// The kernel settings that the service holds, as of the end of a round. The writing thread makes
/// it; all other threads only see such a copy.
struct HeldSettings {
  std::map<std::string, std::string> values;
  std::vector<std::string> deferred;  ///< those that another process has set, a sentence each
};

struct Round {
  Plans plans;                          ///< after the writes
  std::vector<plan::StatusRun> before;  ///< the state before the first write
  std::vector<apply::Report> reports;
  bool stale = false;                ///< the machine is not the one planned for; see `said`
  std::optional<std::string> busy;   ///< the holder of the lock: try again later
  std::string problem;               ///< why nothing was written
  bool nothing_to_undo = false;      ///< that is why
  std::vector<std::string> said;     ///< messages about anything done besides the plan
  std::optional<HeldSettings> held;  ///< of a round; a job does not change them
  model::BlockSet found;             ///< offlined since the last round, without a uevent read
  std::shared_ptr<const model::Host> after;  ///< of a job: the machine when it was done
  model::BlockSet taken;                     ///< of a job: the blocks that it offlined
  /// Of a job whose changes stay only if they are confirmed in time.
  struct ToConfirm {
    std::shared_ptr<apply::Unconfirmed> run;
    std::chrono::milliseconds within{0};
    apply::Limits limits;
  };
  std::optional<ToConfirm> to_confirm;
  std::optional<apply::Report> undone;  ///< of a run that was not confirmed
  bool recovered = false;               ///< a killed run had left changes
  bool cancelled = false;               ///< before it started

  static Round of_problem(std::string problem) {
    Round round;
    round.problem = std::move(problem);
    return round;
  }
};

/// What happened since the last round.
struct Since {
  model::BlockSet left_alone;  ///< blocks to leave unchanged
  /// The blocks that were online at the last scan, if uevents since then may be missing (they were
  /// lost, or the service had exited): those that are offline now are left unchanged as well.
  std::optional<model::BlockSet> online = std::nullopt;
  model::BlockSet removed = {};  ///< blocks that were removed
};

class Reconciler {
 public:
  Reconciler(Target& target, PendingWrites& pending, const apply::Limits& limits);

  /// Applies the policy, in rounds until no more memory arrives (virtio-mem and Hyper-V add more
  /// once the added memory is online).
  Round settle(const ReadyPolicy& policy, const Since& since);
  /// Changes no memory; sets the kernel settings that the policy requires.
  Round look(const ReadyPolicy* policy, const Since& since);
  /// Applies exactly that plan, if the machine has not changed since it was made. With `confirm`,
  /// its recovery journal is kept until the run is confirmed within that time.
  Round apply(const plan::Plan& plan, std::optional<std::chrono::milliseconds> confirm,
              const apply::Limits& limits);
  /// Undoes a run that was not confirmed.
  Round revert(const apply::Limits& limits);
  /// Restores memory to its state before the last run.
  Round undo(const apply::Limits& limits);
  /// The current holder of the lock; empty: none.
  std::optional<std::string> who_writes();
  /// If memory changed, creates the file that memonline-hooks.path waits for, once per round. The
  /// hooks need capabilities that the service lacks; kdump, for example, reloads its kernel. Memory
  /// that the kernel itself onlined counts as well.
  void tell_hooks(Round& round);
  /// At the exit of the service: restores udev's rules, and the kernel settings unless they are to
  /// be kept. A failure is the round's problem.
  Round let_go(bool keep_switches);
  /// An earlier service has run the hooks for memory with these blocks online.
  void told_hooks_at(const model::BlockSet& online);

 private:
  Round settle_memory(const ReadyPolicy& policy, const Since& since);
  Round look_at_memory(const ReadyPolicy* policy, const Since& since);
  [[nodiscard]] HeldSettings held() const;
  Plans plan(const ReadyPolicy* policy, const model::BlockSet& left_alone);
  bool begin(Round& round, std::optional<apply::Session>& session,
             std::chrono::milliseconds patience = std::chrono::milliseconds(0));
  /// Makes the progress of an undo visible as well.
  apply::Watch watch_undoing();
  /// True if anything was changed that a plan depends on.
  bool hold_switches(Round& round, apply::Session& session);
  bool steer_udev(Round& round);
  void say_who_onlines(Round& round);
  void settle_arrivals(Round& round);
  void look_after(Round& round);
  std::optional<apply::Report> undo(Round& round, apply::Session& session,
                                    apply::RunDirectory::Which which, const apply::Journal& journal,
                                    const apply::Limits& limits);
  bool carry_out(Round& round, apply::Session& session, const plan::Plan& plan,
                 const model::Host& host, bool to_confirm, const apply::Limits& limits);

  Target& target_;
  PendingWrites& pending_;
  apply::Limits limits_;
  KnobLease lease_;
  Arrivals arrivals_;
  std::optional<bool> steers_udev_;  ///< empty: unknown, a killed service may have left copies
  std::string who_onlines_;          ///< the last message about that
  std::optional<model::BlockId> online_block_;  ///< a block that was online at the last scan
  std::optional<std::uint64_t> online_;         ///< online blocks after the last round
};

}  // namespace memonline::service
