// SPDX-License-Identifier: LGPL-2.1-or-later
// memonlined, where it runs, as the commands meet it: those that change memory ask it over the bus
// instead of writing beside it, and it decides with polkit who may, so that root is not needed;
// those that only look see the machine with its eyes.
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
#include "runtime/cli/command_line.hpp"
#include "runtime/cli/running.hpp"
#include "runtime/cli/service_sight.hpp"

struct sd_bus;
struct sd_bus_message;

namespace memonline::cli {

class ServiceClient {
 public:
  /// What the bus answered instead: the name of the error, and its text.
  struct Failure {
    std::string name, message;
  };
  /// What a job came to.
  struct Outcome {
    std::string error;       ///< why it failed, for people; empty: it did not
    std::string error_name;  ///< the same as the name of an error
    std::optional<Told> report, undone;
  };

  /// Empty where `root` is not this machine's, where memonlined's sign is missing, and where nobody
  /// on the bus has the name: memonlined is not started for this.
  static std::optional<ServiceClient> find(const std::string& root);

  /// Has a plan (JSON) carried out, and waits for its end: progress on standard error; with
  /// `options.confirm` for Enter on a terminal, or Confirm by anybody. Each of `stops` cancels.
  Result<Outcome, Failure> apply(const std::string& plan, model::Bytes block_size,
                                 const ApplyOptions& options,
                                 const volatile std::sig_atomic_t* stops);
  Result<Outcome, Failure> undo(const RunOptions& options, const volatile std::sig_atomic_t* stops);
  /// Empty: what waited is confirmed.
  std::optional<Failure> confirm();
  /// The machine as it sees it, looked at anew; empty where it does not tell, as an older one.
  std::optional<ServiceSight> sight();
  /// The Manager's Counters; empty where it does not answer.
  std::map<std::string, std::uint64_t> counters();

 private:
  struct Close {
    void operator()(sd_bus* bus) const;
  };
  struct Look;
  explicit ServiceClient(sd_bus* bus) : bus_(bus) {}
  /// The first value of the answer, as text.
  Result<std::string, Failure> call(const char* method, const char* types, ...);
  Result<std::string, Failure> call_with_bytes(const char* method, const std::string& bytes);
  Result<std::string, Failure> call_with(const char* method,
                                         const std::function<int(sd_bus_message*)>& append);
  Result<Look, Failure> look(const std::string& path, const char* interface);
  void read_long_reports(const std::string& job, std::map<std::string, std::string>& values);
  /// Hands over a plan; its digest.
  Result<std::string, Failure> submit(const std::string& plan);
  Result<Outcome, Failure> run_job(const std::function<Result<std::string, Failure>()>& begin,
                                   std::optional<std::chrono::milliseconds> confirm,
                                   std::chrono::milliseconds patience,
                                   const volatile std::sig_atomic_t* stops);
  Result<Outcome, Failure> wait_for(const std::string& job,
                                    std::optional<std::chrono::milliseconds> confirm,
                                    const volatile std::sig_atomic_t* stops);

  std::unique_ptr<sd_bus, Close> bus_;
  std::uint64_t block_size_ = 0;  ///< of what is applied; 0: not known
};

/// As the diagnostic that the command itself would give.
void add_refused(const ServiceClient::Failure& failure, diag::Sink& sink);
void add_failed(const ServiceClient::Outcome& outcome, diag::Sink& sink);

}  // namespace memonline::cli
