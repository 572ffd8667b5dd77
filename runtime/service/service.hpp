// SPDX-License-Identifier: LGPL-2.1-or-later
// memonlined without its bus: receives uevents, keeps memory as the policy requires, and handles
// requests of clients. It belongs to one thread, the loop's, and never blocks it; blocking work
// runs on workers, one that writes and two that only read.
//
// The loop polls the descriptors and calls the matching functions; answers are called in its
// thread. What happens when is decided by its parts: RoundScheduler, JobQueue, Uevents; what is
// shown, by Publisher; the writer's work is Reconciler.
#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "runtime/service/events.hpp"
#include "runtime/service/job_queue.hpp"
#include "runtime/service/listener.hpp"
#include "runtime/service/memory_return.hpp"
#include "runtime/service/publisher.hpp"
#include "runtime/service/reconciler.hpp"
#include "runtime/service/requests.hpp"
#include "runtime/service/rest.hpp"
#include "runtime/service/round_scheduler.hpp"
#include "runtime/service/uevents.hpp"
#include "runtime/service/worker.hpp"

namespace memonline::service {

struct Config {
  std::unique_ptr<Target> target;
  EventSource events;
  policy::Sources policies;
  apply::Limits limits;
  bool keep_switches = false;  ///< leave the kernel settings unchanged at exit
};

class Service {
 public:
  static constexpr std::chrono::milliseconds kProgressEvery{250};  ///< signals: four a second
  /// Of a policy in a message. Large unread messages would delay all clients of the bus.
  static constexpr std::size_t kMaxPolicyText = std::size_t{64} << 10U;

  Service(Config config, Listener& listener);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  /// Reads the policies and starts to apply them; returns at once.
  void start();

  [[nodiscard]] int events_fd() const { return uevents_.fd(); }
  void take_events();
  [[nodiscard]] int writer_fd() const { return writer_->fd(); }
  [[nodiscard]] int reader_fd() const { return requests_.reader_fd(); }
  [[nodiscard]] int root_reader_fd() const { return requests_.root_reader_fd(); }
  void take_results();
  /// Call it after work that may have allocated memory, which is returned later.
  void consider_memory() { memory_.expect(std::chrono::steady_clock::now()); }
  /// When to call `tick` next; empty: not until something else happens.
  [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> due() const;
  void tick();

  [[nodiscard]] const std::shared_ptr<const View>& view() const { return publisher_.view(); }
  [[nodiscard]] const JobQueue& queue() const { return jobs_; }
  [[nodiscard]] const std::list<Job>& jobs() const { return jobs_.jobs(); }
  /// True once the first round is over: memory is as the policy requires as far as possible, or
  /// another run holds the lock.
  [[nodiscard]] bool first_round_done() const { return rounds_.first_round_done(); }

  /// Schema memonline.diagnostics/1.
  void check(std::string text, const Answer<std::string>& answer, const Requester& who = {}) {
    requests_.check(std::move(text), answer, who);
  }
  void plan(PlanRequest request, const Answer<PlanAnswer>& answer) {
    requests_.plan(std::move(request), policy_, answer);
  }
  /// Keeps a plan that was made elsewhere; answers with its digest, for `apply`.
  void submit(const Requester& who, SubmittedPlan text, const Answer<std::string>& answer) {
    requests_.submit(who, std::move(text), answer);
  }
  /// The plan with this digest, to be held during authorization; null: it is not kept.
  [[nodiscard]] std::shared_ptr<const KeptPlan> kept(const std::string& digest) const {
    return requests_.plans().find(digest);
  }
  /// Answers with the number of the job.
  void apply(const std::string& digest, const ApplyRequest& request,
             const Answer<std::uint64_t>& answer);
  void undo(std::uint32_t uid, const Answer<std::uint64_t>& answer);
  /// Confirms the job that waits for it; with `job`, only if it is that one.
  Result<std::uint64_t, Refused> confirm(std::optional<std::uint64_t> job = std::nullopt);
  /// The job will be undone `time` from now unless it is confirmed.
  Result<std::uint64_t, Refused> adjust_timeout(std::uint64_t job, std::chrono::milliseconds time) {
    return jobs_.adjust_timeout(job, time, Now::read());
  }
  Result<std::uint64_t, Refused> cancel(std::uint64_t job);
  /// Re-reads the policies. If they have errors, the previous ones stay active.
  void reload(const Answer<std::string>& answer, const Requester& who = {});
  /// Rescans the machine and reports drift.
  void verify(const Answer<std::shared_ptr<const View>>& answer, const Requester& who = {});
  /// The connection has left the bus: its pending requests are dropped.
  void forget(const std::string& connection) { requests_.drop(connection); }

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
  using Cause = RoundScheduler::Cause;

  void want_round(Cause cause);
  /// Starts what is most urgent, if the writer is free.
  void next();
  void start_round();
  void finish_round(const RoundScheduler::Order& order, std::uint64_t mark, Round round);
  void account(const RoundScheduler::Order& order, const Round& round);
  void check_lock();
  std::uint64_t add_job(Job::Kind kind, const Requester& who, std::uint64_t steps,
                        JobQueue::Work work);
  void start_job();
  void finish_job(std::uint64_t id, Round round);
  void revert_job();
  void note_outcome(std::uint64_t id, const Round& round);
  void show_progress();
  void finish_writes(const std::vector<apply::Report>& reports);
  [[nodiscard]] model::BlockSet unchanged_blocks() const;
  [[nodiscard]] Shown shown() const;
  void log_held_lock(const std::string& owner);

  Listener& listener_;
  std::unique_ptr<Target> target_;
  policy::Sources sources_;
  apply::Limits limits_;
  bool keep_switches_;

  PendingWrites pending_;
  Publisher publisher_;
  RoundScheduler rounds_;
  JobQueue jobs_;
  Uevents uevents_;
  Reconciler reconciler_;
  MemoryReturn memory_;

  LoadedPolicy loaded_;  ///< as last read
  std::shared_ptr<const ReadyPolicy> policy_;
  std::optional<Rest> rested_;  ///< the data of an earlier service, until a round has scanned
  /// When reading the host that the last `verify` published started.
  std::chrono::steady_clock::time_point verified_at_;
  std::optional<std::chrono::steady_clock::time_point> progress_at_;
  bool has_written_ = false, ending_ = false;

  /// Last: destroyed first.
  Requests requests_;
  std::optional<Worker> writer_;
};

}  // namespace memonline::service
