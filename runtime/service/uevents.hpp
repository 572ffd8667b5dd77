// SPDX-License-Identifier: LGPL-2.1-or-later
// What follows from the kernel's uevents: each was caused by memory that was added or removed, by a
// write of the service, or by another process.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/service/events.hpp"
#include "runtime/service/pending_writes.hpp"
#include "runtime/service/publisher.hpp"
#include "runtime/service/round_scheduler.hpp"

namespace memonline::service {

class Uevents {
 public:
  /// They judge for these: changes by other processes are recorded in `publisher`, and rounds are
  /// wanted of `rounds`.
  Uevents(EventSource source, Listener& listener, PendingWrites& pending, Publisher& publisher,
          RoundScheduler& rounds);

  [[nodiscard]] int fd() const { return source_.fd(); }
  /// Judges pending uevents. False when no more are pending.
  bool take(RoundScheduler::Time now);
  /// The writes of a round or a job are over, and so their uevents are pending.
  void finish_writes(const std::vector<apply::Report>& reports, RoundScheduler::Time now);
  /// Another process may have changed a block of the last run after the run had read the machine.
  /// `seqnum`: of the last uevent before that (Plans::seqnum).
  [[nodiscard]] bool changed_since(std::uint64_t seqnum) const {
    return seqnum != 0 && last_own_ > seqnum;
  }

 private:
  void judge(const MemoryEvent& event, RoundScheduler::Time now);
  void offlined_by_others(model::BlockId block, RoundScheduler::Time now);

  EventSource source_;
  Listener& listener_;
  PendingWrites& pending_;
  Publisher& publisher_;
  RoundScheduler& rounds_;
  /// Offlined by the current run or by another process: its report shows which.
  std::vector<model::BlockId> undecided_;
  /// SEQNUM of the last uevent that counted as caused by the current run.
  std::uint64_t last_own_ = 0;
};

}  // namespace memonline::service
