// SPDX-License-Identifier: LGPL-2.1-or-later
// Converts values of the other rooms to types of the bus and back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dbus/compat.hpp"
#include "runtime/policy/readable.hpp"
#include "runtime/service/service.hpp"

namespace memonline::bus {

using Dict = std::map<std::string, sdbus::Variant>;
using FailingRow = sdbus::Struct<std::uint64_t, std::uint64_t, std::int32_t, std::string>;

/// Bytes of the text and of the document of a report as a property.
inline constexpr std::size_t kMaxReportText = std::size_t{128} << 10U;
/// Block ranges, rows and sentences in one reply or property.
inline constexpr std::size_t kMaxRuns = 16384;
inline constexpr std::size_t kMaxRows = 2048;
inline constexpr std::size_t kMaxFindings = 1000;

inline constexpr auto kManagerPath = "/org/memonline1";
std::string node_path(model::NodeId node);
std::string job_path(std::uint64_t id);
/// The job that a path names; empty: not the path of a job.
std::optional<std::uint64_t> job_named(const std::string& path);

/// The bus accepts only UTF-8 without NUL: other bytes become U+FFFD.
std::string utf8(std::string_view text);

/// A client's options, taken one by one; `done` refuses the others. Throws InvalidArgs.
class Options {
 public:
  explicit Options(Dict options) : left_(std::move(options)) {}
  std::optional<std::string> text(const std::string& key);
  std::optional<bool> flag(const std::string& key);
  /// Any integer type of the bus; refused outside of these bounds.
  std::optional<std::uint64_t> number(const std::string& key, std::uint64_t least,
                                      std::uint64_t most);
  void done() const;

 private:
  std::optional<sdbus::Variant> take(const std::string& key);
  Dict left_;
};

service::PlanRequest plan_request(Dict options);
service::ApplyRequest apply_request(Dict options);
/// A time limit of a job; throws InvalidArgs.
std::uint64_t seconds_from_now(std::uint32_t seconds);

// ---- details of a request for polkit ----

/// `operation` completes "Authentication is required to ...". Empty `plan`: an unknown plan.
std::map<std::string, std::string> plan_details(const std::string& digest,
                                                const std::optional<service::PlanSummary>& plan);
/// `verb` is the operation on the job: "cancel".
std::map<std::string, std::string> job_details(const std::optional<std::uint64_t>& job,
                                               const std::string& verb);

/// Without the document, which goes as text or as a file.
Dict plan_dict(const service::PlanAnswer& answer);
/// A memfd with this text that cannot be changed.
sdbus::UnixFd sealed_file(const std::string& text);
/// The machine, as a sealed file, and what the service adds; `all`: with what only root may read.
Dict host_dict(const service::View& view, bool all);
std::vector<Dict> runs(const service::View& view, Dict filter);
std::vector<FailingRow> failing(const service::View& view);
std::vector<std::string> left_alone(const service::View& view);
Dict drift(const service::View& view);
std::map<std::string, std::uint64_t> counters(const service::Counters& counters);
std::map<std::string, std::vector<std::string>> pending_parameters(const service::View& view);
std::map<std::string, std::string> switches(const service::View& view);
std::vector<sdbus::Struct<std::string, std::string>> policy_files(const service::View& view);
/// Every user may read all policy files.
bool readable_by_everybody(const service::View& view);
/// Without the texts of files that this caller may not read.
std::vector<Dict> policies(const service::View& view, const policy::Credentials& caller);
Dict job_details(const service::Job& job);
/// As a property: the objects of all jobs together stay within one message.
Dict report_dict(const std::optional<apply::Report>& report, std::string_view verb);
/// In full, as sealed files.
Dict report_files(const apply::Report& report, std::string_view verb);

/// A node's memory in bytes.
struct NodeFigures {
  std::uint64_t online = 0, offline = 0;
  std::map<std::string, std::uint64_t> zones, wished;
  friend bool operator==(const NodeFigures&, const NodeFigures&) = default;
};
std::map<model::NodeId, NodeFigures> node_figures(const service::View& view);

}  // namespace memonline::bus
