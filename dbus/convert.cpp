// SPDX-License-Identifier: LGPL-2.1-or-later
#include "dbus/convert.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include "compiler/forecast/forecast.hpp"
#include "compiler/model/units.hpp"
#include "compiler/plan/drift.hpp"
#include "compiler/plan/unplug.hpp"
#include "compiler/text/printable.hpp"
#include "compiler/text/utf8.hpp"
#include "dbus/errors.hpp"
#include "runtime/apply/report_json.hpp"
#include "runtime/host/capture.hpp"

namespace memonline::bus {

using service::View;

namespace {

constexpr std::string_view kJobs = "/org/memonline1/job/";
constexpr std::uint64_t kMaxSeconds = 86400;  // seconds
constexpr std::size_t kMaxSentence = 1000;    // bytes

std::optional<std::chrono::milliseconds> seconds(std::optional<std::uint64_t> number) {
  if (!number) return std::nullopt;
  return std::chrono::seconds(*number);
}

std::vector<std::string> all_utf8(const std::vector<std::string>& texts) {
  std::vector<std::string> clean;
  clean.reserve(texts.size());
  for (const std::string& text : texts) clean.push_back(bus::utf8(text));
  return clean;
}

Dict run_dict(const View& view, const plan::StatusRun& run) {
  const model::BlockRun& b = run.blocks;
  Dict dict{
      {"blocks", sdbus::Variant(std::vector<std::uint64_t>{b.first.value(), b.last().value()})},
      {"state", sdbus::Variant(std::string(model::state_name(b.state)))},
      {"device", sdbus::Variant(utf8(view.host->devices.at(b.device).name))},
      {"drift", sdbus::Variant(run.drift)}};
  if (const auto zone = plan::zone_text(b)) dict.emplace("zone", sdbus::Variant(*zone));
  if (b.node) dict.emplace("node", sdbus::Variant(std::uint32_t{b.node->value()}));
  return dict;
}

/// Policies of the command line, such as <-e>, are not in a file, and every user sees them.
bool is_in_file(const source::SourceFile& file) {
  return file.path().empty() || file.path().front() != '<';
}

}  // namespace

std::string node_path(model::NodeId node) { return fmt::format("{}/node/{}", kManagerPath, node); }

std::string job_path(std::uint64_t id) { return fmt::format("{}{}", kJobs, id); }

std::optional<std::uint64_t> job_named(const std::string& path) {
  if (path.rfind(kJobs, 0) != 0) return std::nullopt;
  std::uint64_t id = 0;
  const char* end = path.data() + path.size();
  const auto read = std::from_chars(path.data() + kJobs.size(), end, id);
  if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
  return id;
}

std::string utf8(std::string_view text) {
  std::string clean = text::valid_utf8(text);
  std::replace(clean.begin(), clean.end(), '\0', ' ');
  return clean;
}

// ---- values from clients ----

std::optional<sdbus::Variant> Options::take(const std::string& key) {
  const auto found = left_.find(key);
  if (found == left_.end()) return std::nullopt;
  sdbus::Variant value = found->second;
  left_.erase(found);
  return value;
}

std::optional<std::string> Options::text(const std::string& key) {
  const auto value = take(key);
  if (!value) return std::nullopt;
  if (!value->containsValueOfType<std::string>())
    throw errors::invalid_args(
        fmt::format("`{}` has type `{}`, expected `s`", key, std::string(value->peekValueType())));
  return value->get<std::string>();
}

std::optional<bool> Options::flag(const std::string& key) {
  const auto value = take(key);
  if (!value) return std::nullopt;
  if (!value->containsValueOfType<bool>())
    throw errors::invalid_args(
        fmt::format("`{}` has type `{}`, expected `b`", key, std::string(value->peekValueType())));
  return value->get<bool>();
}

std::optional<std::uint64_t> Options::number(const std::string& key, std::uint64_t least,
                                             std::uint64_t most) {
  const auto value = take(key);
  if (!value) return std::nullopt;
  std::int64_t number = 0;
  if (value->containsValueOfType<std::uint32_t>())
    number = value->get<std::uint32_t>();
  else if (value->containsValueOfType<std::int32_t>())
    number = value->get<std::int32_t>();
  else if (value->containsValueOfType<std::int64_t>())
    number = value->get<std::int64_t>();
  else if (value->containsValueOfType<std::uint64_t>())
    number =
        static_cast<std::int64_t>(std::min<std::uint64_t>(value->get<std::uint64_t>(), INT64_MAX));
  else
    throw errors::invalid_args(
        fmt::format("`{}` has type `{}`, expected `u`", key, std::string(value->peekValueType())));
  if (number < 0 || static_cast<std::uint64_t>(number) < least ||
      static_cast<std::uint64_t>(number) > most)
    throw errors::invalid_args(
        fmt::format("`{}` is {}, expected {} to {}", key, number, least, most));
  return static_cast<std::uint64_t>(number);
}

void Options::done() const {
  if (!left_.empty())
    throw errors::invalid_args(fmt::format("unknown option `{}`", left_.begin()->first));
}

service::PlanRequest plan_request(Dict options) {
  Options taken(std::move(options));
  service::PlanRequest request;
  request.policy = taken.text("policy");
  request.offline = taken.flag("offline").value_or(false);
  const auto unplug = taken.text("unplug");
  const auto add = taken.text("add");
  const bool release = taken.flag("release").value_or(false);
  const bool reclaim = taken.flag("reclaim").value_or(false);
  taken.done();
  if (release && !unplug) throw errors::invalid_args("`release` needs `unplug`");
  if (reclaim && !unplug) throw errors::invalid_args("`reclaim` needs `unplug`");
  if (unplug && add) throw errors::invalid_args("`unplug` and `add` cannot be combined");
  if (request.policy && request.policy->size() > service::Service::kMaxPolicyText)
    throw make_error(errors::kLimitsExceeded,
                     fmt::format("the policy has {} bytes, limit {}", request.policy->size(),
                                 service::Service::kMaxPolicyText));
  if (unplug) {
    const auto parsed = plan::parse_unplug(*unplug);
    if (!parsed) throw errors::invalid_args(parsed.error());
    request.unplug = *parsed;
    request.unplug->release = release;
    request.unplug->reclaim = reclaim;
  }
  if (add) {
    const auto parsed = forecast::parse_add(*add);
    if (!parsed) throw errors::invalid_args(parsed.error());
    request.add = *parsed;
  }
  return request;
}

std::uint64_t seconds_from_now(std::uint32_t seconds) {
  if (seconds < 1 || seconds > kMaxSeconds)
    throw errors::invalid_args(
        fmt::format("expected 1 to {} seconds, not {}", kMaxSeconds, seconds));
  return seconds;
}

std::map<std::string, std::string> plan_details(const std::string& digest,
                                                const std::optional<service::PlanSummary>& plan) {
  if (!plan) return {{"operation", "apply a plan that the service does not have"}};
  return {{"operation", service::summary_text(*plan)},
          {"digest", digest},
          {"steps", std::to_string(plan->steps)},
          {"bytes", std::to_string(plan->bytes)},
          {"size", model::human(model::Bytes(plan->bytes))},
          {"nodes", service::nodes_text(*plan)}};
}

std::map<std::string, std::string> job_details(const std::optional<std::uint64_t>& job,
                                               const std::string& verb) {
  if (!job) return {{"operation", fmt::format("{} a memory job", verb)}};
  return {{"operation", fmt::format("{} memory job {}", verb, *job)},
          {"job", std::to_string(*job)}};
}

service::ApplyRequest apply_request(Dict options) {
  Options taken(std::move(options));
  service::ApplyRequest request;
  request.confirm = seconds(taken.number("confirm-seconds", 1, kMaxSeconds));
  request.deadline = seconds(taken.number("deadline-seconds", 1, kMaxSeconds));
  request.retry = seconds(taken.number("retry-seconds", 1, kMaxSeconds));
  taken.done();
  if (request.retry && request.confirm)
    throw errors::invalid_args("`retry-seconds` and `confirm-seconds` cannot be combined");
  return request;
}

// ---- values for clients ----

Dict plan_dict(const service::PlanAnswer& answer) {
  return {{"digest", sdbus::Variant(answer.digest)},
          {"steps", sdbus::Variant(answer.steps)},
          {"reboot-required", sdbus::Variant(answer.reboot_required)},
          {"diagnostics", sdbus::Variant(utf8(answer.diagnostics))}};
}

sdbus::UnixFd sealed_file(const std::string& text) {
  const int fd = ::memfd_create("memonline", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "memfd_create");
  sdbus::UnixFd file(fd, sdbus::adopt_fd);
  for (std::size_t written = 0; written < text.size();) {
    const ssize_t more = ::write(fd, text.data() + written, text.size() - written);
    if (more < 0) throw std::system_error(errno, std::generic_category(), "write");
    written += static_cast<std::size_t>(more);
  }
  ::lseek(fd, 0, SEEK_SET);
  if (::fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0)
    throw std::system_error(errno, std::generic_category(), "F_ADD_SEALS");
  return file;
}

std::vector<Dict> runs(const View& view, Dict filter) {
  Options taken(std::move(filter));
  const auto state = taken.text("state");
  const auto zone = taken.text("zone");
  const auto node = taken.number("node", 0, UINT32_MAX);
  const auto device = taken.text("device");
  const auto drift = taken.flag("drift");
  taken.done();
  std::vector<Dict> found;
  for (const plan::StatusRun& run : view.runs) {
    const model::BlockRun& b = run.blocks;
    if (state && *state != model::state_name(b.state)) continue;
    if (zone && plan::zone_text(b) != zone) continue;
    if (node && (!b.node || b.node->value() != *node)) continue;
    if (device && view.host->devices.at(b.device).name != *device) continue;
    if (drift && run.drift != *drift) continue;
    if (found.size() == kMaxRuns)
      throw make_error(errors::kLimitsExceeded,
                       fmt::format("more than {} block ranges match: use a filter, or GetHost, "
                                   "which returns a file",
                                   kMaxRuns));
    found.push_back(run_dict(view, run));
  }
  return found;
}

std::vector<FailingRow> failing(const View& view) {
  std::vector<FailingRow> rows;
  for (const service::Failing& one : view.failing) {
    if (rows.size() + 1 == kMaxRows && view.failing.size() > kMaxRows) {
      // The last row counts all others.
      rows.emplace_back(
          one.blocks.low().value(), view.failing.back().blocks.high().value(), 0,
          fmt::format("{} more block ranges in this range", view.failing.size() - kMaxRows + 1));
      break;
    }
    rows.emplace_back(one.blocks.low().value(), one.blocks.high().value(), one.error,
                      utf8(shortened(one.text, kMaxSentence)));
  }
  return rows;
}

std::vector<std::string> left_alone(const View& view) {
  const std::size_t all = view.left_alone.size();
  const std::size_t shown = all > kMaxRows ? kMaxRows - 1 : all;
  std::vector<std::string> sentences;
  for (std::size_t i = 0; i < shown; ++i)
    sentences.push_back(utf8(shortened(view.left_alone[i], kMaxSentence)));
  if (shown < all) sentences.push_back(fmt::format("and {} more like these", all - shown));
  return sentences;
}

Dict drift(const View& view) {
  std::uint64_t blocks = 0;
  for (const plan::StatusRun& run : view.runs)
    if (run.drift) blocks += run.blocks.count;
  return {{"state", sdbus::Variant(std::string(service::state_name(view.state)))},
          {"blocks", sdbus::Variant(blocks)},
          {"runs", sdbus::Variant(runs(view, {{"drift", sdbus::Variant(true)}}))},
          {"steps", sdbus::Variant(std::uint64_t{view.plan ? view.plan->steps.size() : 0})},
          {"reboot-required", sdbus::Variant(view.plan && view.plan->boot.reboot_required)},
          {"failing", sdbus::Variant(failing(view))},
          {"left-alone", sdbus::Variant(left_alone(view))},
          {"problems", sdbus::Variant(utf8(view.problems))}};
}

Dict host_dict(const View& view, bool all) {
  model::Host host = *view.host;
  // The kernel's address in memory would help an attacker: /proc/iomem hides it, too.
  if (!all) host.early_memory.clear();
  return {{"document", sdbus::Variant(sealed_file(runtime::write_snapshot(host)))},
          {"own-parameters", sdbus::Variant(all_utf8(host.own_parameters))},
          {"failing", sdbus::Variant(failing(view))},
          {"left-alone", sdbus::Variant(left_alone(view))}};
}

std::map<std::string, std::uint64_t> counters(const service::Counters& c) {
  return {{"blocks-onlined", c.blocks_onlined},
          {"failures", c.failures},
          {"retries", c.retries},
          {"rescans", c.rescans},
          {"events", c.events},
          {"last-latency-ms", static_cast<std::uint64_t>(c.last_latency.count())}};
}

std::map<std::string, std::vector<std::string>> pending_parameters(const View& view) {
  if (!view.plan) return {};
  std::map<std::string, std::vector<std::string>> pending;
  if (!view.plan->boot.set.empty()) pending["set"] = all_utf8(view.plan->boot.set);
  if (!view.plan->boot.remove.empty()) pending["remove"] = all_utf8(view.plan->boot.remove);
  return pending;
}

std::map<std::string, std::string> switches(const View& view) {
  std::map<std::string, std::string> clean;
  for (const auto& [name, value] : view.switches) clean[utf8(name)] = utf8(value);
  return clean;
}

std::vector<sdbus::Struct<std::string, std::string>> policy_files(const View& view) {
  std::vector<sdbus::Struct<std::string, std::string>> files;
  if (!view.policy) return files;
  for (const plan::PolicyRef& ref : view.policy->refs)
    files.emplace_back(utf8(ref.path), ref.sha256);
  return files;
}

bool readable_by_everybody(const View& view) {
  if (!view.policy) return true;
  const auto& files = view.policy->files;
  return std::all_of(files.begin(), files.end(), [](const source::SourceFile& file) {
    return !is_in_file(file) || policy::everybody_may_read(file.path());
  });
}

std::vector<Dict> policies(const View& view, const policy::Credentials& caller) {
  std::vector<Dict> files;
  if (!view.policy) return files;
  for (const source::SourceFile& file : view.policy->files) {
    Dict& entry = files.emplace_back();
    entry = {{"path", sdbus::Variant(utf8(file.path()))},
             {"digest", sdbus::Variant(file.digest())}};
    if (!is_in_file(file) || policy::may_read(file.path(), caller))
      entry.emplace("policy", sdbus::Variant(utf8(file.text())));
    else
      entry.emplace("withheld", sdbus::Variant(fmt::format("uid {} may not read `{}`", caller.uid,
                                                           utf8(file.path()))));
  }
  return files;
}

Dict job_details(const service::Job& job) {
  std::vector<std::string> findings;
  if (job.report)
    for (const apply::StepReport& step : job.report->steps)
      for (const apply::Finding& finding : step.findings)
        if (findings.size() < kMaxFindings)
          findings.push_back(
              utf8(shortened(fmt::format("step {}: {}", step.number, finding.text), kMaxSentence)));
  return {{"kind", sdbus::Variant(std::string(service::kind_name(job.kind)))},
          {"blocks", sdbus::Variant(job.blocks)},
          {"blocks-done", sdbus::Variant(job.blocks_done)},
          {"steps", sdbus::Variant(job.steps)},
          {"steps-done", sdbus::Variant(job.steps_done)},
          {"error", sdbus::Variant(utf8(job.error))},
          {"error-name", sdbus::Variant(errors::name_of(job.failure))},
          {"findings", sdbus::Variant(findings)}};
}

Dict report_dict(const std::optional<apply::Report>& report, std::string_view verb) {
  if (!report) return {};
  const std::string text = utf8(apply::to_text(*report, verb));
  const std::string document = apply::to_json(*report);
  const bool whole = text.size() <= kMaxReportText && document.size() <= kMaxReportText;
  Dict dict{{"result", sdbus::Variant(std::string(apply::result_name(report->result())))},
            {"text", sdbus::Variant(shortened(text, kMaxReportText))}};
  if (whole) dict.emplace("document", sdbus::Variant(document));
  return dict;
}

Dict report_files(const apply::Report& report, std::string_view verb) {
  return {{"result", sdbus::Variant(std::string(apply::result_name(report.result())))},
          {"text", sdbus::Variant(sealed_file(utf8(apply::to_text(report, verb))))},
          {"document", sdbus::Variant(sealed_file(apply::to_json(report)))}};
}

std::map<model::NodeId, NodeFigures> node_figures(const View& view) {
  std::map<model::NodeId, NodeFigures> nodes;
  for (const model::Node& node : view.host->nodes) nodes[node.id];
  for (const model::BlockRun& run : view.host->blocks) {
    if (!run.node) continue;
    NodeFigures& figures = nodes[*run.node];
    const std::uint64_t bytes = (view.host->block_size * run.count).value();
    if (run.state != model::State::Online) {
      figures.offline += bytes;
      continue;
    }
    figures.online += bytes;
    figures.zones[plan::zone_text(run).value_or("unknown")] += bytes;
  }
  if (view.plan)
    for (const plan::NodeOutcome& outcome : view.plan->outcome) {
      if (!outcome.node) continue;
      NodeFigures& figures = nodes[*outcome.node];
      figures.wished = outcome.zones;
      figures.wished["offline"] = outcome.offline.value();
    }
  return nodes;
}

}  // namespace memonline::bus
