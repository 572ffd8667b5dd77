// SPDX-License-Identifier: LGPL-2.1-or-later
// memonlined without its bus: hears the kernel, keeps memory as the policy says, and does what
// clients ask. It belongs to one thread, the loop's, and never blocks it; what blocks happens on
// its two workers, one that writes and one that only looks.
//
// The loop polls the descriptors and calls what belongs to them; answers come in the loop's thread.
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
  bool keep_switches = false;  ///< leave the kernel's switches as they are when the service ends
};

/// What a client wants a plan of. At most one of `unplug` and `add`.
struct PlanWishes {
  std::optional<std::string> policy;  ///< text in place of the policy in force
  bool offline = false;               ///< as if it said `set rezone = allowed`
  std::optional<plan::UnplugRequest> unplug;
  std::optional<forecast::AddRequest> add;
  Requester who;  ///< the plan is kept among this user's
};
struct PlanAnswer {
  std::optional<std::string> document;  ///< as `memonline plan --format json` prints it
  std::string digest;                   ///< "sha256:...", of the document: what `apply` takes
  std::uint64_t steps = 0;
  bool reboot_required = false;
  std::string diagnostics;      ///< schema memonline.diagnostics/1
  std::string problem;          ///< without a document: why, in a sentence
  bool policy_invalid = false;  ///< that the policy is wrong, or missing, is why
};
struct ApplyWishes {
  std::shared_ptr<const KeptPlan> plan = {};  ///< null: it is looked up by its digest
  std::optional<std::chrono::milliseconds> confirm;
  std::optional<std::chrono::milliseconds> deadline;  ///< of taking one block offline
  Requester who;
};
/// Why a request is refused; nothing was changed.
struct Refused {
  enum class Why : std::uint8_t {
    UnknownPlan,    ///< no plan of this digest was made lately
    Stale,          ///< the machine has changed since
    PolicyInvalid,  ///< the policy has errors
    PlanInvalid,    ///< what was submitted is no plan
    Busy,           ///< too many jobs wait
    Nothing,        ///< there is nothing to undo, confirm, cancel
    Failed,
  };
  Why why = Why::Failed;
  std::string message;
};
template <class T>
using Answer = std::function<void(Result<T, Refused>)>;
/// The same answer where the work for it threw.
template <class T>
Worker::Failed failing(const Answer<T>& answer) {
  return [answer](const std::string& what) { answer(fail(Refused{Refused::Why::Failed, what})); };
}

/// Told in the loop's thread.
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
  /// Something for the log. `priority` as syslog's.
  struct Fields {
    std::optional<model::WriteRun> blocks;
    std::string rule;
    int error = 0;
  };
  virtual void say(int priority, const std::string& message, const Fields& fields) = 0;
};

class Service {
 public:
  static constexpr std::size_t kMostJobs = 16;       ///< that wait or run; of root beside them
  static constexpr std::size_t kMostJobsOfUser = 8;  ///< of one ordinary user
  static constexpr std::size_t kKeptJobs = 16;       ///< that are done
  static constexpr std::chrono::minutes kKeptFor{10};
  static constexpr std::chrono::milliseconds kProgressEvery{250};  ///< signals: four a second
  /// Of a policy in a message. A bus holds up everybody where much waits to be read.
  static constexpr std::size_t kMostPolicyText = std::size_t{64} << 10U;

  Service(Config config, Listener& listener);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  /// Reads the policies and has everything settled; returns at once.
  void start();

  [[nodiscard]] int events_fd() const { return events_.fd(); }
  void take_events();
  [[nodiscard]] int writer_fd() const { return writer_->fd(); }
  [[nodiscard]] int reader_fd() const { return reader_->fd(); }
  [[nodiscard]] int root_reader_fd() const { return root_reader_->fd(); }
  void take_results();
  /// After what may have taken memory, which is returned when there is time.
  void consider_memory();
  /// When `tick` wants to be called; empty: not until something else happens.
  [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> due() const;
  void tick();

  [[nodiscard]] const std::shared_ptr<const View>& view() const { return view_; }
  [[nodiscard]] const std::list<Job>& jobs() const { return jobs_; }
  /// Who asked for this job; empty: it is done or was never there.
  [[nodiscard]] std::optional<std::uint32_t> owner_of(std::uint64_t job) const;
  /// True once the first round is over: memory is settled as far as it goes, or somebody else is
  /// at it.
  [[nodiscard]] bool looked() const { return looked_; }

  /// Schema memonline.diagnostics/1.
  void check(std::string text, const Answer<std::string>& answer, const Requester& who = {});
  void plan(PlanWishes wishes, const Answer<PlanAnswer>& answer);
  /// The text of a plan, or why it cannot be read. Called in the worker's thread.
  using Document = std::function<Result<std::string, std::string>()>;
  /// Takes a plan that was made elsewhere; its digest, for `apply`.
  void submit(const Requester& who, Document document, const Answer<std::string>& answer);
  void apply(const std::string& digest, const ApplyWishes& wishes,
             const Answer<std::uint64_t>& answer);
  /// The plan of this digest, to be held while the caller is asked; null: it is not kept.
  [[nodiscard]] std::shared_ptr<const KeptPlan> kept(const std::string& digest) const;
  void undo(std::uint32_t uid, const Answer<std::uint64_t>& answer);
  /// The job that waits to be confirmed; empty: none does.
  [[nodiscard]] std::optional<std::uint64_t> confirming() const;
  /// Confirms that job; with `job`, only if it is that one.
  Result<std::uint64_t, Refused> confirm(std::optional<std::uint64_t> job = std::nullopt);
  /// The job is undone after `time` from now, unless it is confirmed before.
  Result<std::uint64_t, Refused> adjust_timeout(std::uint64_t job, std::chrono::milliseconds time);
  Result<std::uint64_t, Refused> cancel(std::uint64_t job);
  /// Reads the policies anew. With an error in them the old ones stay in force.
  void reload(const Answer<std::string>& answer, const Requester& who = {});
  /// Looks again and tells what is not as the policy says.
  void verify(const Answer<std::shared_ptr<const View>>& answer, const Requester& who = {});
  /// That connection is gone: what it asked for and has not been answered yet is dropped.
  void forget(const std::string& connection);

  /// Nothing is under way, waits or is kept for a client, memory is as the policy says, and the
  /// kernel alone will bring new memory online as the policy says.
  [[nodiscard]] bool is_idle() const;
  /// The same, whatever is still kept for clients: plans, and jobs that are done.
  [[nodiscard]] bool is_settled() const;
  /// Something is being done, or will be as soon as that is over.
  [[nodiscard]] bool is_busy() const;
  /// Before it ends because it is idle: writes down what the next service has to know. Whatever
  /// comes after the first call starts that one, so it may be called again. False, and the service
  /// has to stay, where that cannot be written.
  bool rest();

  /// Ends the run under way after its block, and releases the kernel settings. A job that waits to
  /// be confirmed is undone, but not where the machine goes down: that would hold it up. False
  /// where a request is still being worked on: then the process has to end without waiting for it.
  /// Where it rests, the settings stay.
  enum class Ending : std::uint8_t { Service, Machine, Rest };
  bool shut_down(Ending ending = Ending::Service);

 private:
  enum class Cause : std::uint8_t { Start, Events, Lost, Retry, Changed, Reload };
  /// A round as it was begun.
  struct Order {
    Cause cause = Cause::Start;
    bool writes = false;  ///< or it only looks
    bool lost = false;    ///< events were lost before
    /// When the first event of the memory came that it is for.
    std::optional<std::chrono::steady_clock::time_point> burst;
    std::uint64_t mark = 0;  ///< what was noted of others before
  };
  void want_round(Cause cause);
  /// Memory comes that the kernel itself brings online: no round for it before it is quiet.
  void let_kernel_finish();
  [[nodiscard]] bool kernel_is_at_it() const;
  void start_round();
  void finish_round(const Order& order, Round round);
  void wait_for_lock(const std::string& owner);
  void look_at_lock();
  void account(const Order& order, const Round& round);
  /// The policy allows that memory changes its zone.
  [[nodiscard]] bool rezones() const;
  /// `mark`: what was noted of others when they were made.
  void publish(const Plans& plans, std::uint64_t mark);
  void name_what_others_did(const std::vector<plan::StatusRun>& runs, std::uint64_t mark);
  void publish_state();
  Job& add_job(Job::Kind kind, std::uint32_t uid);
  Job* find_job(std::uint64_t id);
  /// Has `work` done by the writer as this job, unless it is cancelled before.
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
  /// False when nothing is waiting any more.
  bool take_some_events();
  void finish_writes(const std::vector<apply::Report>& reports);
  void judge(const MemoryEvent& event);
  void was_taken_offline(model::BlockId block);
  void keep_left_alone();
  [[nodiscard]] model::BlockSet left_alone() const;
  [[nodiscard]] bool busy() const;
  /// As many jobs of this user wait or run as may.
  [[nodiscard]] bool full(std::uint32_t uid) const;

  Listener& listener_;
  std::unique_ptr<Target> target_;
  EventSource events_;
  policy::Sources sources_;
  apply::Limits limits_;
  bool keep_switches_;

  LeftAlone left_alone_;
  /// Taken offline by ourselves or not: known when what is under way is done.
  std::vector<model::BlockId> taken_back_or_not_;
  Flight flight_;
  std::unique_ptr<Keeper> keeper_;
  LoadedPolicy loaded_;  ///< as last read
  std::shared_ptr<const ReadyPolicy> policy_;
  std::shared_ptr<const View> view_;
  std::shared_ptr<const model::Host> known_;  ///< as it was when last looked at
  /// When the host began to be read that the last `verify` published.
  std::chrono::steady_clock::time_point verified_at_;
  std::optional<Rest> rested_;  ///< how an earlier service left it; until a round has looked
  HeldSettings held_;  ///< as the last round left them: the writer's own are not to be read here
  Counters counters_;
  Troubles troubles_;

  model::BlockSet removed_;      ///< blocks, since the last round began
  std::optional<Cause> wanted_;  ///< a round that is to come
  bool round_runs_ = false;
  struct LockWait {
    std::string owner;
    /// When to look at it again; empty: that is under way.
    std::optional<std::chrono::steady_clock::time_point> at;
  };
  std::optional<LockWait> lock_wait_;  ///< somebody else changes memory, and `wanted_` waits
  bool looked_ = false;
  bool events_lost_ = false;  ///< since the last round began
  std::uint64_t rounds_done_ = 0;
  bool ending_ = false;
  std::optional<std::chrono::steady_clock::time_point> burst_began_, quiet_at_, progress_at_;

  std::list<Job> jobs_;
  std::map<std::uint64_t, std::chrono::steady_clock::time_point> done_at_;
  using WaitingJob = std::pair<std::uint64_t, std::function<Round()>>;
  FairQueue<WaitingJob> waiting_jobs_;
  std::uint64_t current_job_ = 0;  ///< the one the writer is at; 0: a round, or none
  /// A job that is done but for the word of somebody.
  struct Confirming {
    std::uint64_t job = 0;
    Round::ToConfirm wanted;
    Round round;             ///< what it came to
    model::BlockSet blocks;  ///< what it touched: no round's before it is decided
    bool over = false;       ///< nobody said it in time, or somebody cancelled
    runtime::BootClock::time_point until;
    std::chrono::steady_clock::time_point look_at;  ///< at the latest at `until`
  };
  std::optional<Confirming> confirming_;
  std::uint64_t next_job_ = 1;
  KeptPlans plans_;
  /// When memory that a large request took is returned: once the answer has been sent.
  std::optional<std::chrono::steady_clock::time_point> return_at_;
  unsigned returns_ = 0;  ///< since the last request
  bool has_written_ = false;

  /// Last: they end first. Root does not wait until an ordinary user's request is done.
  std::unique_ptr<Worker> writer_, reader_, root_reader_;
};

}  // namespace memonline::service
