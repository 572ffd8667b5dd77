// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/policy/test_package.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "compiler/compile.hpp"
#include "compiler/render/plan.hpp"
#include "runtime/host/capture.hpp"
#include "runtime/host/read_host.hpp"

namespace memonline::policy {

namespace {

class Comparison {
 public:
  explicit Comparison(std::vector<std::string>& mismatches) : mismatches_(mismatches) {}

  void outcome(const std::map<std::uint32_t, ExpectedNode>& expected, const plan::Plan& plan) {
    for (const auto& [id, node] : expected) {
      const auto at = std::find_if(plan.outcome.begin(), plan.outcome.end(),
                                   [&, id = id](auto& o) { return o.node == model::NodeId(id); });
      if (at == plan.outcome.end()) {
        mismatches_.push_back(fmt::format("node {}: this host has no such node", id));
        continue;
      }
      amount(id, "Normal", node.normal, at->normal);
      amount(id, "Movable", node.movable, at->movable);
      amount(id, "offline", node.offline, at->offline);
    }
  }

  void lists(std::string_view what, const std::vector<std::string>& expected,
             const std::vector<std::string>& found) {
    if (expected == found) return;
    mismatches_.push_back(
        fmt::format("{}: expected {}, planned {}", what, joined(expected), joined(found)));
  }

  void hotplug(const std::string& expected, const plan::Plan& plan) {
    if (plan::onliner_name(plan.hotplug.by) != expected)
      mismatches_.push_back(fmt::format("hotplug: expected by the {}, planned by the {} ({})",
                                        expected, plan::onliner_name(plan.hotplug.by),
                                        plan.hotplug.why));
  }

 private:
  void amount(std::uint32_t id, std::string_view name, std::optional<std::uint64_t> expected,
              model::Bytes found) {
    if (!expected || model::Bytes(*expected) == found) return;
    mismatches_.push_back(fmt::format("node {} {}: expected {} ({}), planned {} ({})", id, name,
                                      model::human(model::Bytes(*expected)), *expected,
                                      model::human(found), found));
  }

  static std::string joined(const std::vector<std::string>& words) {
    if (words.empty()) return "none";
    std::string text;
    for (const std::string& word : words)
      text += fmt::format("{}`{}`", text.empty() ? "" : ", ", word);
    return text;
  }

  std::vector<std::string>& mismatches_;
};

std::vector<std::string> codes_of(const diag::Sink& sink) {
  std::set<std::string> codes;
  for (const diag::Diagnostic& d : sink.all())
    if (d.severity != diag::Severity::Note) codes.insert(diag::name_of(d.code));
  return {codes.begin(), codes.end()};
}

}  // namespace

TestResult run_test(const Package& package, const PackageTest& test, const std::string& directory) {
  TestResult result;
  const bool absolute = !test.host_path.empty() && test.host_path.front() == '/';
  const std::string path = absolute ? test.host_path : directory + "/" + test.host_path;
  // A map is always a snapshot, although in flow style it begins like JSON.
  const auto host = test.host_path.empty() ? runtime::read_snapshot(test.host_snapshot)
                                           : runtime::read_host(path);
  if (!host) {
    const auto& error = host.error();
    result.mismatches.push_back(
        fmt::format("host: {}{}{}", error.path, error.path.empty() ? "" : ": ", error.message));
    return result;
  }
  const Compilation compiled = compile({package.policy}, *host);
  result.diagnostics = compiled.diagnostics;

  Comparison compare(result.mismatches);
  const Expectation& expect = test.expect;
  if (expect.diagnostics) {
    std::vector<std::string> expected = *expect.diagnostics;
    std::sort(expected.begin(), expected.end());
    compare.lists("diagnostics", expected, codes_of(compiled.diagnostics));
  }
  if (!compiled.plan) {
    if (!expect.diagnostics || expect.steps || expect.hotplug || !expect.outcome.empty())
      result.mismatches.emplace_back("no plan is possible for this host");
    return result;
  }
  compare.outcome(expect.outcome, *compiled.plan);
  if (expect.steps) {
    std::vector<std::string> steps;
    for (const plan::Step& step : compiled.plan->steps) steps.push_back(render::step_text(step));
    compare.lists("steps", *expect.steps, steps);
  }
  if (expect.hotplug) compare.hotplug(*expect.hotplug, *compiled.plan);
  return result;
}

}  // namespace memonline::policy
