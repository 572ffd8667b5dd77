// SPDX-License-Identifier: LGPL-2.1-or-later
// What the service shows: the view that the last scan and the last run resulted in, and changes by
// other processes that it contains. Each change replaces the view as a whole.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/service/listener.hpp"
#include "runtime/service/reconciler.hpp"
#include "runtime/service/troubles.hpp"
#include "runtime/service/user_offline.hpp"

namespace memonline::service {

/// What the view shows besides the machine and its plan.
struct Shown {
  const LoadedPolicy& loaded;                        ///< the policies as last read
  const std::shared_ptr<const ReadyPolicy>& policy;  ///< the active one
  const Troubles& troubles;
  bool applying = false;  ///< a job is open, or a round writes
};

/// The state that the view shows, from its other members.
State state_of(const View& view, const Shown& shown);

class Publisher {
 public:
  /// `user_offline`: the file of that name (user_offline.hpp).
  Publisher(Listener& listener, std::string user_offline, std::string boot);

  [[nodiscard]] const std::shared_ptr<const View>& view() const { return view_; }
  /// The host as of the last scan; null before the first one.
  [[nodiscard]] const std::shared_ptr<const model::Host>& scanned() const { return scanned_; }
  void set_scanned(std::shared_ptr<const model::Host> host) { scanned_ = std::move(host); }
  /// Blocks that differ from the policy on purpose.
  [[nodiscard]] UserOffline& user_offline() { return user_offline_; }
  [[nodiscard]] const UserOffline& user_offline() const { return user_offline_; }
  [[nodiscard]] Counters& counters() { return counters_; }
  /// The kernel settings that the service holds.
  void set_held(HeldSettings held) { held_ = std::move(held); }
  /// The policy in the view allows changing the zone of online blocks.
  [[nodiscard]] bool rezones(const ReadyPolicy* policy) const;
  /// A plan may be made and all is as it requires, or at most a reboot is pending.
  [[nodiscard]] bool is_in_sync() const;

  /// Shows the result of a scan. `mark`: UserOffline::mark() when it began.
  void publish(const Plans& plans, std::uint64_t mark, const Shown& shown);
  /// Shows another state, or other counters, of the same machine.
  void publish_state(const Shown& shown);
  /// Shows the machine as a job left it.
  void publish_host(std::shared_ptr<const model::Host> host);
  /// Reports blocks that other processes onlined contrary to the policy, as of `runs`.
  void report_onlined_by_others(const std::vector<plan::StatusRun>& runs, std::uint64_t mark);
  /// Records that another process offlined the block, and reports it.
  void offlined_by_others(model::BlockId block);
  /// Records that the job offlined these blocks, and reports it.
  void offlined_by_job(std::uint64_t job, const model::BlockSet& blocks);
  /// Writes the file of offlined blocks if anything has changed.
  void save();

 private:
  void replace(std::shared_ptr<const View> view);

  Listener& listener_;
  UserOffline user_offline_;
  std::shared_ptr<const View> view_;
  std::shared_ptr<const model::Host> scanned_;
  HeldSettings held_;  ///< a copy as of the last round: the writer's own must not be read here
  Counters counters_;
};

}  // namespace memonline::service
