// SPDX-License-Identifier: LGPL-2.1-or-later
// The state that the service publishes: values that are replaced on each change, and never
// modified, so that any thread may read them.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compiler/diag/diagnostic.hpp"
#include "compiler/model/host.hpp"
#include "compiler/plan/drift.hpp"
#include "compiler/plan/plan.hpp"
#include "runtime/apply/report.hpp"
#include "runtime/base/boot_clock.hpp"
#include "runtime/service/policy_in_force.hpp"

namespace memonline::service {

enum class State : std::uint8_t {
  InSync,          ///< memory is as the policy requires
  Drift,           ///< it is not; see the plan
  Applying,        ///< a job is running
  Failed,          ///< blocks could not be changed as the policy requires, a round failed, or there
                   ///< is no valid policy
  RebootRequired,  ///< only kernel parameters are pending
};
std::string_view state_name(State state);  ///< in-sync drift applying failed reboot-required

/// Blocks that could not be changed as the policy requires. Retried for as long as they exist.
struct Failing {
  model::WriteRun blocks;
  int error = 0;  ///< errno, 0: none
  std::string text;
  std::string rule;  ///< that requires it: "rest movable"
  friend bool operator==(const Failing&, const Failing&) = default;
};

struct Counters {
  std::uint64_t blocks_onlined = 0;
  std::uint64_t failures = 0;  ///< blocks that failed, each time
  std::uint64_t retries = 0;   ///< rounds that were retries
  std::uint64_t rescans = 0;   ///< rounds because uevents were lost
  std::uint64_t events = 0;
  /// From the first event of the last burst until its last block was online.
  std::chrono::milliseconds last_latency{0};
  friend bool operator==(const Counters&, const Counters&) = default;
};

struct View {
  State state = State::Applying;            ///< until the host was read for the first time
  std::shared_ptr<const model::Host> host;  ///< never null
  /// The current plan; null without a policy, or if it cannot be applied to this host.
  std::shared_ptr<const plan::Plan> plan;
  std::vector<plan::StatusRun> runs;          ///< the host, with drift
  std::shared_ptr<const ReadyPolicy> policy;  ///< the active one; null: none
  /// Why the policies on disk are not active, as `check` reports it; or why the last round failed.
  std::string problems;
  std::vector<Failing> failing;
  std::vector<std::string> left_alone;  ///< changes by other processes and jobs, a sentence each
  std::map<std::string, std::string> switches;  ///< the kernel settings that the service holds
  Counters counters;
};

struct Job {
  enum class Kind : std::uint8_t { Settle, Apply, Undo };
  enum class Stage : std::uint8_t { Queued, Running, Confirming, Waiting, Cancelling, Done };
  enum class Result : std::uint8_t { None, Done, Partial, Failed, Cancelled, Undone };
  /// Why it failed, as far as clients must distinguish it.
  enum class Failure : std::uint8_t { None, AnotherRun, NothingToUndo, Stale, Other };
  std::uint64_t id = 0;
  Kind kind = Kind::Apply;
  Stage stage = Stage::Queued;
  Result result = Result::None;
  std::uint32_t uid = 0;  ///< of the user who started it
  std::uint64_t blocks = 0, blocks_done = 0;
  std::uint64_t steps = 0, steps_done = 0;
  std::string step;   ///< the current one: "online_movable memory79..42"
  std::string error;  ///< why it failed, for people
  Failure failure = Failure::None;
  std::optional<apply::Report> report, undone;
  /// When it is undone unless it is confirmed; empty: it is not waiting for confirmation.
  std::optional<runtime::BootClock::time_point> undone_at;
  std::uint32_t attempts = 0;  ///< that failed because blocks were in use
};
std::string_view kind_name(Job::Kind kind);        ///< settle apply undo
std::string_view stage_name(Job::Stage stage);     ///< "queued", "confirming", "waiting"
std::string_view result_name(Job::Result result);  ///< "" done partial failed cancelled undone

}  // namespace memonline::service
