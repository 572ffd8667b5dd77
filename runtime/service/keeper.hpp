// SPDX-License-Identifier: LGPL-2.1-or-later
// The hands of the service: looks at the machine, plans, writes. All of it may block, so all of it
// happens on one thread that does nothing else. Boot, hotplug and a client's request come here
// alike; what differs is only what they ask for. No other thread calls it while that one runs: what
// it knows leaves it in a Round.
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

#include "compiler/model/host.hpp"
#include "compiler/plan/drift.hpp"
#include "compiler/plan/plan.hpp"
#include "compiler/plan/planner.hpp"
#include "runtime/apply/report.hpp"
#include "runtime/apply/runner.hpp"
#include "runtime/apply/unconfirmed.hpp"
#include "runtime/service/arrivals.hpp"
#include "runtime/service/flight.hpp"
#include "runtime/service/knob_lease.hpp"
#include "runtime/service/policy_in_force.hpp"
#include "runtime/service/target.hpp"

namespace memonline::service {

/// What the policy says of the machine as it is.
struct Plans {
  std::shared_ptr<const model::Host> host;  ///< null: it could not be read, see `problem`
  std::shared_ptr<const plan::Plan> plan;
  model::BlockSet
      missed;  ///< of the blocks that are left alone, those that the policy wants changed
  diag::Sink sink;
  std::string problem;
};
/// Any thread. Without a policy there is a host and no plan. `complete` adds to the host what only
/// the service knows. Once `cancelled` says so, there is no plan either.
Plans plan_now(Target& target, const ReadyPolicy* policy, const model::BlockSet& left_alone,
               const std::function<void(model::Host&)>& complete = {},
               const Cancelled& cancelled = {});

std::optional<model::BlockId> some_online_block(const model::Host& host);

/// The kernel settings that the service holds, as they were when a round ended. The thread that
/// writes makes it; every other thread only ever sees such a copy.
struct HeldSettings {
  std::map<std::string, std::string> values;
  std::vector<std::string> deferred;  ///< those that another process holds, a sentence each
};

struct Round {
  Plans plans;                          ///< as things are afterwards
  std::vector<plan::StatusRun> before;  ///< as they were before it wrote anything
  std::vector<apply::Report> reports;
  bool stale = false;                ///< the machine is not the one planned for; see `said`
  std::optional<std::string> busy;   ///< who holds the lock: try again later
  std::string problem;               ///< why nothing was written
  bool nothing_to_undo = false;      ///< that is why
  std::vector<std::string> said;     ///< what was done beside the plan
  std::optional<HeldSettings> held;  ///< of a round; a job leaves them alone
  model::BlockSet found;             ///< taken offline since `before`, and nobody has said so
  std::shared_ptr<const model::Host> after;  ///< a job's: the machine when it was done
  model::BlockSet taken;                     ///< and what it has taken offline
  /// A job's that stays only if somebody says so in time.
  struct ToConfirm {
    std::shared_ptr<apply::Unconfirmed> run;
    std::chrono::milliseconds within{0};
    apply::Limits limits;
  };
  std::optional<ToConfirm> to_confirm;
  std::optional<apply::Report> undone;  ///< of a run that nobody confirmed
  bool recovered = false;               ///< a killed run had left something
  bool cancelled = false;               ///< before it began

  static Round of_problem(std::string problem) {
    Round round;
    round.problem = std::move(problem);
    return round;
  }
};

/// What a round has to know of the time since the last one.
struct Since {
  model::BlockSet left_alone;  ///< blocks that are to stay as they are
  /// The blocks that were online at the last look, if events since then may be missing (they were
  /// lost, or the service had exited): those that are offline now are left alone as well.
  std::optional<model::BlockSet> online = std::nullopt;
  model::BlockSet removed = {};  ///< blocks that were removed
};

class Keeper {
 public:
  Keeper(Target& target, Flight& flight, const apply::Limits& limits);

  /// Makes the machine what the policy says, round after round for memory that comes meanwhile
  /// (virtio-mem and Hyper-V add more once what they added is online).
  Round settle(const ReadyPolicy& policy, const Since& since);
  /// Only looks; takes hold of the switches that the policy was lowered to.
  Round look(const ReadyPolicy* policy, const Since& since);
  /// Exactly that plan, if the machine is still the one it was made for. With `confirm`, its
  /// journal is set aside until somebody says within that time that it may stay.
  Round apply(const plan::Plan& plan, std::optional<std::chrono::milliseconds> confirm,
              const apply::Limits& limits);
  /// Undoes what nobody has confirmed.
  Round take_back(const apply::Limits& limits);
  /// Back to how memory was before the last run.
  Round undo(const apply::Limits& limits);
  /// Who holds the lock now; empty: nobody.
  std::optional<std::string> who_writes();
  /// Once for all that `round` changed: leaves a file that memonline-hooks.path waits for. It runs
  /// what is not for a service without capabilities; kdump, say, wants to load its kernel anew.
  /// That the kernel itself brought memory online counts as well.
  void tell_hooks(Round& round);
  /// When the service ends: udev's rules as they were, and the switches unless they shall stay.
  /// What stood in the way is the round's problem.
  Round let_go(bool keep_switches);
  /// The hooks have run for memory with these blocks online, by an earlier service.
  void told_hooks_at(const model::BlockSet& online);

 private:
  Round settle_memory(const ReadyPolicy& policy, const Since& since);
  Round look_at_memory(const ReadyPolicy* policy, const Since& since);
  [[nodiscard]] HeldSettings held() const;
  Plans plan(const ReadyPolicy* policy, const model::BlockSet& left_alone);
  bool begin(Round& round, std::optional<apply::Session>& session,
             std::chrono::milliseconds patience = std::chrono::milliseconds(0));
  /// How far an undo has come is to be seen as well.
  apply::Watch watch_undoing();
  /// True where anything was changed that a plan looks at.
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
  Flight& flight_;
  apply::Limits limits_;
  KnobLease lease_;
  Arrivals arrivals_;
  std::optional<bool> steers_udev_;  ///< empty: an earlier service may have, and been killed
  std::string who_onlines_;          ///< as it was said last
  std::optional<model::BlockId> online_block_;  ///< some block that was online when last looked
  std::optional<std::uint64_t> online_;         ///< blocks that were, after the last round
};

}  // namespace memonline::service
