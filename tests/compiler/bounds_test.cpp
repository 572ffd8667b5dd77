// SPDX-License-Identifier: LGPL-2.1-or-later
// How large a policy, its parts, and what is said of them may be.
#include "compiler/syntax/bounds.hpp"

#include <cstddef>
#include <string>

#include <fmt/format.h>

#include "compiler/diag/diagnostic.hpp"
#include "compiler/model/host.hpp"
#include "compiler/plan/unplug.hpp"
#include "compiler/render/plan.hpp"
#include "compiler/sema/analyse.hpp"
#include "compiler/text/printable.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/host_builder.hpp"
#include "tests/support/planning.hpp"

using namespace memonline;
using test::HostBuilder;
using test::plan_for;

namespace {

std::string repeated(std::string_view text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

/// The first error of a policy: "ML0113 17 this rule ...", with the byte it is at; empty: none.
std::string error_of(const std::string& policy) {
  diag::Sink sink;
  (void)sema::analyse({{"t.mempolicy", policy}}, sink);
  for (const diag::Diagnostic& d : sink.sorted())
    if (d.severity == diag::Severity::Error) {
      CHECK(!d.help.empty());
      return fmt::format("{} {} {}", diag::name_of(d.code), d.span ? d.span->begin : 0, d.message);
    }
  return {};
}

std::string every_second(std::size_t ranges) {
  std::string list = "block 0";
  for (std::size_t i = 1; i < ranges; ++i) list += fmt::format(",{}", 2 * i);
  return list;
}

}  // namespace

TEST_CASE("bounds: of shares, classes, ranges, values and words, and of the whole policy") {
  using namespace syntax;
  const auto shares = [](std::size_t n) { return "all: " + repeated("1%normal,", n - 1) + "keep"; };
  CHECK(error_of(shares(kMaxShares)).empty());
  CHECK(error_of(shares(kMaxShares + 1)) == "ML0113 581 this rule has 65 shares: the limit is 64");
  const auto classes = [](std::size_t n) { return repeated("boot ", n) + ": keep"; };
  CHECK(error_of(classes(kMaxClasses)).empty());
  CHECK(error_of(classes(kMaxClasses + 1)) ==
        "ML0113 80 this selector has 17 classes: the limit is 16");
  CHECK(error_of("all except " + classes(kMaxClasses + 1)) ==
        "ML0113 91 this selector has 17 classes: the limit is 16");
  CHECK(error_of(every_second(kMaxRanges) + ": keep").empty());
  CHECK(error_of(every_second(kMaxRanges + 1) + ": keep")
            .find("this list has 4097 ranges: the limit is 4096") != std::string::npos);
  const auto values = [](std::size_t n) {
    return "when product is " + repeated("a,", n - 1) + "b { all: keep }";
  };
  CHECK(error_of(values(kMaxValues)).empty());
  CHECK(error_of(values(kMaxValues + 1)).find("this condition has 1025 values") !=
        std::string::npos);
  const auto driver = [](std::size_t n) { return "driver " + repeated("x", n) + ": keep"; };
  CHECK(error_of(driver(kMaxWord)).empty());
  CHECK(error_of(driver(kMaxWord + 1)) == "ML0113 7 this word has 256 bytes: the limit is 255");
  const auto statements = [](std::size_t n) { return repeated("boot:keep\n", n); };
  CHECK(error_of(statements(kMaxStatements)).empty());
  CHECK(error_of(statements(kMaxStatements + 1)) ==
        "ML0113 327680 the policy has more than 32768 statements");
}

TEST_CASE("bounds: all files of a policy are counted together") {
  diag::Sink sink;
  const std::string half = repeated("boot:keep\n", syntax::kMaxStatements / 2 + 1);
  CHECK(!sema::analyse({{"1.mempolicy", half}, {"2.mempolicy", half}}, sink));
  REQUIRE(sink.has_errors());
  CHECK(sink.all().back().span->file == 1);
}

TEST_CASE("bounds: a text is shortened between characters") {
  CHECK(shortened("movable", 7) == "movable");
  CHECK(shortened("movables", 7) == "mova\u2026");
  // Of an e with an accent, two bytes, no half is left.
  CHECK(shortened("abc\u00e9fgh", 7) == "abc\u2026");
  CHECK(shortened("abcd\u00e9fgh", 7) == "abcd\u2026");
}

TEST_CASE("bounds: a plan repeats two hundred bytes of a rule, and its place in full") {
  const std::string shares = repeated("1 blocks movable  ,", 40) + "rest normal";
  const std::string policy = "dimm  " + repeated(" ", 300) + ": movable";
  const auto host = HostBuilder().boot(0, 0, 32).dimm(0, 32, 8).build();
  // A rule that keeps is named as a whole: its selector is long.
  const auto kept =
      plan_for(host, "dimm " + repeated("dimm0 ", 12) + repeated(" ", 200) + ": keep");
  REQUIRE(kept.plan);
  const auto movable = plan_for(host, policy);
  REQUIRE(movable.plan);
  for (const auto& step : movable.plan->steps) CHECK(step.rule.text.size() <= plan::kMaxRuleText);
  std::size_t longest = 0;
  for (const plan::Skipped& skipped : kept.plan->skipped)
    longest = std::max(longest, skipped.rule.text.size());
  longest = std::max(longest, kept.plan->hotplug.rule.text.size());
  CHECK(longest == plan::kMaxRuleText);
  CHECK(kept.plan->hotplug.rule.column == 1);
}

TEST_CASE("bounds: of more diagnostics than are kept only the number is told") {
  diag::Sink sink;
  for (std::size_t i = 0; i < diag::kMaxKept + 7; ++i)
    sink.add(diag::Code::NoSuchMemory, std::nullopt, std::to_string(i)).help = "help";
  sink.add(diag::Code::Expected, std::nullopt, "an error is kept beside as many notes");
  diag::Sink sum;
  sum.append(sink);
  for (const diag::Sink* one : {&sink, &sum}) {
    const auto shown = one->sorted();
    REQUIRE(shown.size() == diag::kMaxKept + 2);
    CHECK(shown[diag::kMaxKept].code == diag::Code::Expected);
    CHECK(diag::name_of(shown.back().code) == "ML0515");
    CHECK(shown.back().message == "7 more diagnostics are not shown");
    CHECK(one->has_errors());
  }
}

TEST_CASE(
    "bounds: conditions are compared with the words of those before, up to a number of words") {
  const auto warnings = [](std::size_t branches) {
    std::string policy = "when product is p0 { all: keep }";
    for (std::size_t i = 1; i < branches; ++i)
      policy += fmt::format(" else when product is p{} {{ all: keep }}", i);
    policy += fmt::format(" else when product is p{} {{ all: movable }}", branches - 1);
    diag::Sink sink;
    CHECK(sema::analyse({{"t.mempolicy", policy}}, sink));
    return sink.all().size();
  };
  CHECK(warnings(200) == 1);  // the last one is ruled out by the one before
  CHECK(warnings(300) == 0);
}

TEST_CASE("bounds: an unplug request is a line") {
  const std::string longest = "dimm0" + repeated(" ", plan::kMaxRequestText - 5);
  CHECK(plan::parse_unplug(longest));
  const auto refused = plan::parse_unplug(longest + " ");
  REQUIRE(!refused);
  CHECK(refused.error() == "the request has 4097 bytes: the limit is 4096");
}
