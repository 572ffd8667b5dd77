// SPDX-License-Identifier: LGPL-2.1-or-later
// The client of memonlined, if it runs: commands that change memory call it over the bus instead of
// writing beside it, and polkit authorizes the caller, so that root is not needed; commands that
// only read get the state of the machine from it.
#pragma once

#include <chrono>
#include <csignal>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "compiler/base/result.hpp"
#include "runtime/cli/running.hpp"
#include "runtime/cli/service_snapshot.hpp"

struct sd_bus;
struct sd_bus_message;

namespace memonline::cli {

class ServiceClient {
 public:
  /// An error of the bus: its name and its text.
  struct Failure {
    std::string name, message;
  };
  /// The result of a job.
  struct Outcome {
    std::string error;       ///< why it failed, for people; empty: it succeeded
    std::string error_name;  ///< the name of that error
    std::optional<RenderedReport> report, undone;
  };

  /// Empty if `root` is not this machine's, if memonlined's sign is missing, or if its name has no
  /// owner on the bus: memonlined is not started for this.
  static std::optional<ServiceClient> find(const std::string& root);

  /// Lets the service carry out a plan (JSON), and waits for the result: progress on standard
  /// error; with `confirm` for Enter on a terminal, or Confirm by any caller. Each of
  /// `stops` cancels.
  Result<Outcome, Failure> apply(const std::string& plan, model::Bytes block_size,
                                 const RunOptions& options,
                                 std::optional<std::chrono::milliseconds> confirm,
                                 const volatile std::sig_atomic_t* stops);
  Result<Outcome, Failure> undo(const RunOptions& options, const volatile std::sig_atomic_t* stops);
  /// Empty: the waiting changes are confirmed.
  std::optional<Failure> confirm();
  /// The current state of the machine from the service; empty if an older version lacks this.
  std::optional<ServiceSnapshot> snapshot();
  /// The Manager's Counters; empty if it does not answer.
  std::map<std::string, std::uint64_t> counters();

 private:
  struct Close {
    void operator()(sd_bus* bus) const;
  };
  struct Properties;
  explicit ServiceClient(sd_bus* bus) : bus_(bus) {}
  /// The first value of the answer, as text.
  Result<std::string, Failure> call(const char* method, const char* types, ...);
  Result<std::string, Failure> call_with_bytes(const char* method, const std::string& bytes);
  Result<std::string, Failure> call_with(const char* method,
                                         const std::function<int(sd_bus_message*)>& append);
  Result<Properties, Failure> properties(const std::string& path, const char* interface);
  void read_long_reports(const std::string& job, std::map<std::string, std::string>& values);
  /// Submits a plan; gives its digest.
  Result<std::string, Failure> submit(const std::string& plan);
  Result<Outcome, Failure> run_job(const std::function<Result<std::string, Failure>()>& begin,
                                   std::optional<std::chrono::milliseconds> confirm,
                                   std::chrono::milliseconds patience,
                                   const volatile std::sig_atomic_t* stops);
  Result<Outcome, Failure> wait_for(const std::string& job,
                                    std::optional<std::chrono::milliseconds> confirm,
                                    const volatile std::sig_atomic_t* stops);

  std::unique_ptr<sd_bus, Close> bus_;
  std::uint64_t block_size_ = 0;  ///< of the plan; 0: unknown
};

/// Adds the diagnostic that the command itself would give.
void add_refused(const ServiceClient::Failure& failure, diag::Sink& sink);
void add_failed(const ServiceClient::Outcome& outcome, diag::Sink& sink);

}  // namespace memonline::cli
