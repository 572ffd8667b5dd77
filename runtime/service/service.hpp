// SPDX-License-Identifier: LGPL-2.1-or-later
// memonlined without its bus: receives uevents, keeps memory as the policy requires, and handles
// requests of clients. It belongs to one thread, the loop's, and never blocks it; blocking work
// runs on workers, one that writes and two that only read.
//
// The loop polls the descriptors and calls the matching functions; answers are called in its
// thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "compiler/forecast/forecast.hpp"
#include "compiler/plan/unplug.hpp"
#include "runtime/base/boot_clock.hpp"
#include "runtime/service/events.hpp"
#include "runtime/service/fair_queue.hpp"
#include "runtime/service/keeper.hpp"
#include "runtime/service/kept_plans.hpp"
#include "runtime/service/left_alone.hpp"
#include "runtime/service/plan_summary.hpp"
#include "runtime/service/rest.hpp"
#include "runtime/service/troubles.hpp"
#include "runtime/service/view.hpp"
#include "runtime/service/worker.hpp"

namespace memonline::service {

struct Config {
  std::unique_ptr<Target> target;
  EventSource events;
  policy::Sources policies;
  apply::Limits limits;
  bool keep_switches = false;  ///< leave the kernel settings unchanged at exit
};

/// A request for a plan. At most one of `unplug` and `add`.
struct PlanWishes {
  std::optional<std::string> policy;  ///< text to use instead of the active policy
  bool offline = false;               ///< as if it had `set rezone = allowed`
  std::optional<plan::UnplugRequest> unplug;
  std::optional<forecast::AddRequest> add;
  Requester who;  ///< the plan is kept among this user's
};
struct PlanAnswer {
  std::optional<std::string> document;  ///< as `memonline plan --format json` prints it
  std::string digest;                   ///< "sha256:...", of the document: argument of `apply`
  std::uint64_t steps = 0;
  bool reboot_required = false;
  std::string diagnostics;      ///< schema memonline.diagnostics/1
  std::string problem;          ///< without a document: the reason, a sentence
  bool policy_invalid = false;  ///< the reason is an invalid or missing policy
};
struct ApplyWishes {
  std::shared_ptr<const KeptPlan> plan = {};  ///< null: found by its digest
  std::optional<std::chrono::milliseconds> confirm;
  std::optional<std::chrono::milliseconds> deadline;  ///< for offlining one block
  Requester who;
};
/// Why a request is refused; nothing was changed.
struct Refused {
  enum class Why : std::uint8_t {
    UnknownPlan,    ///< no recent plan has this digest
    Stale,          ///< the machine has changed since the plan was made
    PolicyInvalid,  ///< the policy has errors
    PlanInvalid,    ///< the submitted text is not a plan
    Busy,           ///< too many jobs are pending
    Nothing,        ///< nothing to undo, confirm or cancel
    Failed,
  };
  Why why = Why::Failed;
  std::string message;
};
template <class T>
using Answer = std::function<void(Result<T, Refused>)>;
/// The same answer if the work for it threw.
template <class T>
Worker::Failed failing(const Answer<T>& answer) {
  return [answer](const std::string& what) { answer(fail(Refused{Refused::Why::Failed, what})); };
}

/// Called in the loop's thread.
class Listener {
 public:
  Listener() = default;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  virtual ~Listener() = default;
  virtual void view_changed(const View& before, const View& now) = 0;
  virtual void job_added(const Job& job) = 0;
  virtual void job_changed(const Job& job) = 0;
  virtual void job_removed(std::uint64_t id) = 0;
  /// A message for the log. `priority` as in syslog.
  struct Fields {
    std::optional<model::WriteRun> blocks;
    std::string rule;
    int error = 0;
  };
  virtual void say(int priority, const std::string& message, const Fields& fields) = 0;
};

class Service {
 public:
  static constexpr std::size_t kMostJobs = 16;       ///< pending or running; as many more of root
  static constexpr std::size_t kMostJobsOfUser = 8;  ///< of one ordinary user
  static constexpr std::size_t kKeptJobs = 16;       ///< that are done
  static constexpr std::chrono::minutes kKeptFor{10};
  static constexpr std::chrono::milliseconds kProgressEvery{250};  ///< signals: four a second
  /// Of a policy in a message. Large unread messages would delay all clients of the bus.
  static constexpr std::size_t kMostPolicyText = std::size_t{64} << 10U;

  Service(Config config, Listener& listener);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  /// Reads the policies and starts to apply them; returns at once.
  void start();

  [[nodiscard]] int events_fd() const { return events_.fd(); }
  void take_events();
  [[nodiscard]] int writer_fd() const { return writer_->fd(); }
  [[nodiscard]] int reader_fd() const { return reader_->fd(); }
  [[nodiscard]] int root_reader_fd() const { return root_reader_->fd(); }
  void take_results();
  /// Call it after work that may have allocated memory, which is returned later.
  void consider_memory();
  /// When to call `tick` next; empty: not until something else happens.
  [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> due() const;
  void tick();

  [[nodiscard]] const std::shared_ptr<const View>& view() const { return view_; }
  [[nodiscard]] const std::list<Job>& jobs() const { return jobs_; }
  /// The user who started this job; empty: it is done or does not exist.
  [[nodiscard]] std::optional<std::uint32_t> owner_of(std::uint64_t job) const;
  /// True once the first round is over: memory is as the policy requires as far as possible, or
  /// another run holds the lock.
  [[nodiscard]] bool looked() const { return looked_; }

  /// Schema memonline.diagnostics/1.
  void check(std::string text, const Answer<std::string>& answer, const Requester& who = {});
  void plan(PlanWishes wishes, const Answer<PlanAnswer>& answer);
  /// The text of a plan, or why it cannot be read. Called in the worker's thread.
  using Document = std::function<Result<std::string, std::string>()>;
  /// Keeps a plan that was made elsewhere; answers with its digest, for `apply`.
  void submit(const Requester& who, Document document, const Answer<std::string>& answer);
  void apply(const std::string& digest, const ApplyWishes& wishes,
             const Answer<std::uint64_t>& answer);
  /// The plan with this digest, to be held during authorization; null: it is not kept.
  [[nodiscard]] std::shared_ptr<const KeptPlan> kept(const std::string& digest) const;
  void undo(std::uint32_t uid, const Answer<std::uint64_t>& answer);
  /// The job that is waiting for confirmation; empty: none.
  [[nodiscard]] std::optional<std::uint64_t> confirming() const;
  /// Confirms that job; with `job`, only if it is that one.
  Result<std::uint64_t, Refused> confirm(std::optional<std::uint64_t> job = std::nullopt);
  /// The job will be undone `time` from now unless it is confirmed.
  Result<std::uint64_t, Refused> adjust_timeout(std::uint64_t job, std::chrono::milliseconds time);
  Result<std::uint64_t, Refused> cancel(std::uint64_t job);
  /// Re-reads the policies. If they have errors, the previous ones stay active.
  void reload(const Answer<std::string>& answer, const Requester& who = {});
  /// Rescans the machine and reports drift.
  void verify(const Answer<std::shared_ptr<const View>>& answer, const Requester& who = {});
  /// The connection has left the bus: its pending requests are dropped.
  void forget(const std::string& connection);

  /// Nothing is running, pending or kept for a client, memory is as the policy requires, and the
  /// kernel alone onlines new memory as the policy requires.
  [[nodiscard]] bool is_idle() const;
  /// The same, but plans and finished jobs may still be kept for clients.
  [[nodiscard]] bool is_settled() const;
  /// Work is running, or will start as soon as the current work is over.
  [[nodiscard]] bool is_busy() const;
  /// Before the service exits when idle: saves the data for the next service. Events after the
  /// first call start that service, so rest() may be called again. False if the data cannot be
  /// written: then the service must not exit.
  bool rest();

  /// Ends the current run after the current block, and restores the kernel settings. A job that is
  /// waiting for confirmation is undone, unless the machine shuts down, which that would delay.
  /// With `Rest`, the settings stay. False if a request is still being processed: then the process
  /// has to exit without waiting for it.
  enum class Ending : std::uint8_t { Service, Machine, Rest };
  bool shut_down(Ending ending = Ending::Service);

 private:
  enum class Cause : std::uint8_t { Start, Events, Lost, Retry, Changed, Reload };
  /// The parameters of a round at its start.
  struct Order {
    Cause cause = Cause::Start;
    bool writes = false;  ///< or it only scans
    bool lost = false;    ///< uevents were lost before
    /// When the first uevent of the burst arrived that caused the round.
    std::optional<std::chrono::steady_clock::time_point> burst;
    std::uint64_t mark = 0;  ///< LeftAlone::mark() at the start
  };
  void want_round(Cause cause);
  /// The same, but the round starts at the next call of next().
  void note_cause(Cause cause);
  /// The kernel itself onlines the memory that is being added: no round until uevents stop.
  void let_kernel_finish();
  [[nodiscard]] bool kernel_is_at_it() const;
  void start_round();
  void finish_round(const Order& order, Round round);
  void wait_for_lock(const std::string& owner);
  void look_at_lock();
  void account(const Order& order, const Round& round);
  /// The policy allows rezoning.
  [[nodiscard]] bool rezones() const;
  /// `mark`: LeftAlone::mark() when the plans were made.
  void publish(const Plans& plans, std::uint64_t mark);
  void name_what_others_did(const std::vector<plan::StatusRun>& runs, std::uint64_t mark);
  void publish_state();
  Job& add_job(Job::Kind kind, std::uint32_t uid);
  Job* find_job(std::uint64_t id);
  /// Makes the writer do `work` as this job, unless it is cancelled before.
  void post_job(std::uint64_t id, const Requester& who, std::function<Round()> work);
  void next();
  void begin_job();
  void finish_job(std::uint64_t id, Round round);
  void note_outcome(std::uint64_t id, const Round& round);
  void end_job(std::uint64_t id, const Round& round);
  static void show_report(Job& job, const Round& round);
  void await_word(std::uint64_t id, Round round);
  void look_for_word();
  void take_back();
  void finish_taking_back(const Round& undone);
  void show_progress();
  void drop_old_jobs();
  bool readers_ended();
  Worker& reader_of(const Requester& who) { return who.uid == 0 ? *root_reader_ : *reader_; }
  void return_what_is_free(std::chrono::steady_clock::time_point now);
  /// False when no more events are pending.
  bool take_some_events();
  void finish_writes(const std::vector<apply::Report>& reports);
  void judge(const MemoryEvent& event);
  void was_taken_offline(model::BlockId block);
  void keep_left_alone();
  [[nodiscard]] model::BlockSet left_alone() const;
  [[nodiscard]] bool busy() const;
  /// This user has reached the limit of jobs.
  [[nodiscard]] bool full(std::uint32_t uid) const;

  Listener& listener_;
  std::unique_ptr<Target> target_;
  EventSource events_;
  policy::Sources sources_;
  apply::Limits limits_;
  bool keep_switches_;

  LeftAlone left_alone_;
  /// Offlined by the service or not: known when the current run is done.
  std::vector<model::BlockId> taken_back_or_not_;
  Flight flight_;
  /// SEQNUM of the last uevent that counted as caused by the current run.
  std::uint64_t last_own_seqnum_ = 0;
  std::unique_ptr<Keeper> keeper_;
  LoadedPolicy loaded_;  ///< as last read
  std::shared_ptr<const ReadyPolicy> policy_;
  std::shared_ptr<const View> view_;
  std::shared_ptr<const model::Host> known_;  ///< as of the last scan
  /// When reading the host that the last `verify` published started.
  std::chrono::steady_clock::time_point verified_at_;
  std::optional<Rest> rested_;  ///< the data of an earlier service, until a round has scanned
  HeldSettings held_;  ///< a copy as of the last round: the writer's own must not be read here
  Counters counters_;
  Troubles troubles_;

  model::BlockSet removed_;      ///< blocks, since the last round started
  std::optional<Cause> wanted_;  ///< of the pending round
  bool round_runs_ = false;
  struct LockWait {
    std::string owner;
    /// When to check it again; empty: a check is running.
    std::optional<std::chrono::steady_clock::time_point> at;
  };
  std::optional<LockWait> lock_wait_;  ///< another run changes memory, and `wanted_` waits
  bool looked_ = false;
  bool events_lost_ = false;  ///< since the last round started
  std::uint64_t rounds_done_ = 0;
  bool ending_ = false;
  std::optional<std::chrono::steady_clock::time_point> burst_began_, quiet_at_, progress_at_;

  std::list<Job> jobs_;
  std::map<std::uint64_t, std::chrono::steady_clock::time_point> done_at_;
  using WaitingJob = std::pair<std::uint64_t, std::function<Round()>>;
  FairQueue<WaitingJob> waiting_jobs_;
  std::uint64_t current_job_ = 0;  ///< of the writer; 0: a round, or none
  /// A job that is done except for its confirmation.
  struct Confirming {
    std::uint64_t job = 0;
    Round::ToConfirm wanted;
    Round round;             ///< its result
    model::BlockSet blocks;  ///< that it changed: rounds leave them unchanged until it is decided
    bool over = false;       ///< not confirmed in time, or cancelled
    runtime::BootClock::time_point until;
    std::chrono::steady_clock::time_point look_at;  ///< at the latest at `until`
  };
  std::optional<Confirming> confirming_;
  std::uint64_t next_job_ = 1;
  KeptPlans plans_;
  /// When to return the memory of a large request: after its answer was sent.
  std::optional<std::chrono::steady_clock::time_point> return_at_;
  unsigned returns_ = 0;  ///< since the last request
  bool has_written_ = false;

  /// Last: destroyed first. Root does not wait for requests of ordinary users.
  std::unique_ptr<Worker> writer_, reader_, root_reader_;
};

}  // namespace memonline::service
