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
#include "runtime/service/keeper.hpp"
#include "runtime/service/kept_plans.hpp"
#include "runtime/service/left_alone.hpp"
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
  std::uint32_t uid = 0;  ///< who asks: the plan is kept among this user's
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
  std::optional<std::chrono::milliseconds> confirm;
  std::optional<std::chrono::milliseconds> deadline;  ///< of taking one block offline
  std::uint32_t uid = 0;
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
    std::optional<plan::WriteRun> blocks;
    std::string rule;
    int error = 0;
  };
  virtual void say(int priority, const std::string& message, const Fields& fields) = 0;
};

class Service {
 public:
  static constexpr std::size_t kMostJobs = 16;  ///< that wait or run
  static constexpr std::size_t kKeptJobs = 16;  ///< that are done
  static constexpr std::chrono::minutes kKeptFor{10};
  static constexpr std::chrono::milliseconds kProgressEvery{250};  ///< signals: four a second
  static constexpr std::size_t kMostPolicyText = std::size_t{1} << 20U;

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
  void take_results();
  /// When `tick` wants to be called; empty: not until something else happens.
  [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> due() const;
  void tick();

  [[nodiscard]] const std::shared_ptr<const View>& view() const { return view_; }
  [[nodiscard]] const std::list<Job>& jobs() const { return jobs_; }
  /// True once the first round is over: memory is settled as far as it goes, or somebody else is
  /// at it.
  [[nodiscard]] bool looked() const { return looked_; }

  void check(std::string text,
             const Answer<std::string>& answer);  ///< schema memonline.diagnostics/1
  void plan(PlanWishes wishes, const Answer<PlanAnswer>& answer);
  /// Takes a plan that was made elsewhere; its digest, for `apply`.
  void submit(std::uint32_t uid, std::string document, const Answer<std::string>& answer);
  void apply(const std::string& digest, const ApplyWishes& wishes,
             const Answer<std::uint64_t>& answer);
  void undo(std::uint32_t uid, const Answer<std::uint64_t>& answer);
  Result<std::uint64_t, Refused> confirm();  ///< the job that waits for it
  Result<std::uint64_t, Refused> cancel(std::uint64_t job);
  /// Reads the policies anew. With an error in them the old ones stay in force.
  void reload(const Answer<std::string>& answer);
  /// Looks again and tells what is not as the policy says.
  void verify(const Answer<std::shared_ptr<const View>>& answer);

  /// Ends the run under way after its block, and lets go of the kernel's switches. A job that waits
  /// to be confirmed is undone, but not where the machine goes down: that would hold it up.
  enum class Ending : std::uint8_t { Service, Machine };
  void shut_down(Ending ending = Ending::Service);

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
  void post_job(std::uint64_t id, std::function<Round()> work);
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
  /// False when nothing is waiting any more.
  bool take_some_events();
  void finish_writes(const std::vector<apply::Report>& reports);
  void judge(const MemoryEvent& event);
  void was_taken_offline(model::BlockId block);
  void keep_left_alone();
  [[nodiscard]] BlockRanges left_alone() const;
  [[nodiscard]] bool busy() const;
  /// As many jobs wait or run as may.
  [[nodiscard]] bool full() const;

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
  Counters counters_;
  Troubles troubles_;

  BlockRanges removed_;          ///< blocks, since the last round began
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
  std::list<std::pair<std::uint64_t, std::function<Round()>>> waiting_jobs_;
  std::uint64_t current_job_ = 0;  ///< the one the writer is at; 0: a round, or none
  /// A job that is done but for the word of somebody.
  struct Confirming {
    std::uint64_t job = 0;
    Round::ToConfirm wanted;
    Round round;         ///< what it came to
    BlockRanges blocks;  ///< what it touched: no round's before it is decided
    bool over = false;   ///< nobody said it in time, or somebody cancelled
    runtime::BootClock::time_point until;
    std::chrono::steady_clock::time_point look_at;  ///< at the latest at `until`
  };
  std::optional<Confirming> confirming_;
  std::uint64_t next_job_ = 1;
  KeptPlans plans_;

  std::unique_ptr<Worker> writer_, reader_;  ///< last: they end first
};

}  // namespace memonline::service
