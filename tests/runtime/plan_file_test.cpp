// SPDX-License-Identifier: LGPL-2.1-or-later
// Plans out of files: every golden document reads back to the same bytes, and of whatever is not a
// plan the message is held against data/wrong_plans.txt. MEMONLINE_UPDATE_GOLDEN=1 writes that
// anew.
#include "runtime/apply/plan_file.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "compiler/diag/render.hpp"
#include "compiler/render/plan.hpp"
#include "runtime/apply/json_place.hpp"
#include "runtime/base/digest.hpp"
#include "tests/support/catch.hpp"

using namespace memonline;
namespace fs = std::filesystem;

namespace {

const fs::path kTests = MEMONLINE_TESTS_DIR;

std::string content_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::string golden_plan() {
  return content_of(kTests / "golden/documents/6.12-c1/hotplugged-normal.json");
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  INFO(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

// The text as read_plan refuses it, as a person sees it.
std::string refusal(const std::string& json) {
  const auto plan = apply::read_plan(json, "plan.json");
  if (plan) return "accepted\n";
  CHECK(plan.error().severity == diag::Severity::Error);
  return diag::to_text(plan.error(), {source::SourceFile("plan.json", json)});
}

std::string repeated(std::string text, const std::string& more, std::size_t times) {
  for (std::size_t i = 0; i < times; ++i) text += more;
  return text;
}

// With the fingerprint that its facts have.
std::string sealed(const std::string& json) {
  std::string facts;
  const std::size_t begin = json.find("\"facts\": [");
  const std::size_t end = json.find(']', json.find("\n    ]", begin));
  for (std::size_t at = json.find('"', begin + 9); at < end;) {
    const std::size_t close = json.find('"', at + 1);
    facts += json.substr(at + 1, close - at - 1) + "\n";
    at = json.find('"', close + 1);
  }
  const std::size_t print = json.find("sha256:");
  return std::string(json).replace(print, 71, runtime::sha256_of(facts));
}

struct Case {
  const char* name;
  std::string json;
};

std::vector<Case> cases() {
  const std::string plan = golden_plan();
  const auto edit = [&](const std::string& from, const std::string& to) {
    return replaced(plan, from, to);
  };
  const std::string knob = R"("knob": "auto_online_blocks",
      "value": "online_kernel")";
  return {
      {"nothing at all", ""},
      {"cut short", plan.substr(0, 700)},
      {"a comma too many", edit("\"arch\": \"x86_64\",", "\"arch\": \"x86_64\",,")},
      {"bytes that are no text", edit("x86_64", "x86\xff")},
      {"too large", std::string(apply::kMaxPlanSize + 1, ' ')},
      {"nested too deeply", std::string(40, '[')},
      {"more values than any plan has", repeated("[0,", "0,", apply::kMaxPlanValues)},
      {"a longer text than any plan has",
       edit("\"kernel\": \"", "\"kernel\": \"" + std::string(65'536, 'x'))},
      {"another document", "{\"packages\": []}"},
      {"a list", "[1, 2]"},
      {"another schema", edit("memonline.plan/1", "memonline.plan/2")},
      {"no host", edit("\"host\"", "\"hosts\"")},
      {"a step without blocks", edit("\"blocks\": [36, 37]", "\"block\": [36, 37]")},
      {"blocks as a text", edit("[36, 37]", "\"36-37\"")},
      {"one block", edit("[36, 37]", "[36]")},
      {"a negative block", edit("[36, 37]", "[36, -37]")},
      {"half a block", edit("[36, 37]", "[36.5, 37]")},
      {"a block beyond all numbers", edit("[36, 37]", "[36, 99999999999999999999]")},
      {"a number beyond all numbers", edit("[36, 37]", "[36, 1e999]")},
      {"a node beyond all nodes", edit("\"node\": 0", "\"node\": 4294967296")},
      {"a step that is a number", edit("\"steps\": [", "\"steps\": [7,")},
      {"truth as a text", edit("\"reboot_required\": false", "\"reboot_required\": \"no\"")},
      {"an unknown action", edit("\"action\": \"online\"", "\"action\": \"burn\"")},
      {"a device that is none",
       edit("\"action\": \"online\"", "\"action\": \"bind\",\n      \"device\": \"../../kernel\"")},
      {"an unknown word", edit("\"state\": \"online_kernel\"", "\"state\": \"online_kernal\"")},
      {"an unknown zone", edit("\"zone\": \"Normal\"", "\"zone\": \"Device\"")},
      {"an unknown knob", edit(knob, "\"knob\": \"../../kernel/panic\",\n      \"value\": \"1\"")},
      {"a knob with an unknown value",
       edit(knob, "\"knob\": \"auto_online_blocks\",\n      \"value\": \"$(reboot)\"")},
      {"a ratio that is no number",
       edit(knob, "\"knob\": \"auto_movable_ratio\",\n      \"value\": \"3x\"")},
      {"an unknown scope", edit(knob, knob + ",\n      \"scope\": \"ever\"")},
      {"online before", edit("\"before\": \"offline\"", "\"before\": \"online\"")},
      {"a word that does not lead there", edit("\"zone\": \"Normal\"", "\"zone\": \"Movable\"")},
      {"a number twice", edit("\"number\": 2", "\"number\": 1")},
      {"numbered from 0", edit("\"number\": 1", "\"number\": 0")},
      {"blocks that the host does not have", edit("[36, 37]", "[36, 99]")},
      {"blocks far away", edit("[36, 37]", "[18446744073709551615, 0]")},
      {"memory added between blocks", edit(R"("action": "online",
      "state": "online_kernel",)",
                                           R"("action": "probe",
      "address": "0x8000001",)")},
      {"memory added at no address", edit(R"("action": "online",
      "state": "online_kernel",)",
                                          R"("action": "probe",
      "address": "136",)")},
      {"facts edited", edit("knob auto_online_blocks offline", "knob auto_online_blocks online")},
      {"facts of another kind", sealed(edit("hot-remove true", "hot-remove maybe"))},
      {"facts without an era", sealed(edit("\"era D\",", ""))},
      {"another block size beside them", edit("\"block_size\": 134217728", "\"block_size\": 4096")},
      {"another era beside them", edit("\"era\": \"D\"", "\"era\": \"C2\"")},
  };
}

}  // namespace

TEST_CASE("plan file: every golden document reads back and renders to the same bytes") {
  std::size_t plans = 0;
  for (const auto& entry : fs::recursive_directory_iterator(kTests / "golden/documents")) {
    if (entry.path().extension() != ".json") continue;
    const std::string json = content_of(entry.path());
    INFO(entry.path());
    const auto plan = apply::read_plan(json, "plan.json");
    if (!plan) FAIL(refusal(json));
    CHECK(render::plan_to_json(*plan) == json);
    ++plans;
  }
  CHECK(plans >= 10);
}

TEST_CASE("plan file: each way in which new memory is onlined reads back") {
  for (const std::string by : {"kernel", "service", "corrected"}) {
    const std::string document =
        replaced(golden_plan(), R"("by": "kernel")", R"("by": ")" + by + "\"");
    const auto plan = apply::read_plan(document, "a plan");
    REQUIRE(plan);
    CHECK(plan::onliner_name(plan->hotplug.by) == by);
    CHECK(render::plan_to_json(*plan) == document);
  }
}

namespace {

/// The plan, for a host that has this memory without blocks besides.
plan::Plan with_unconfigured(plan::Plan plan, std::initializer_list<const char*> memory) {
  std::string text;
  for (const char* line : memory) plan.host.facts.push_back(std::string("unconfigured ") + line);
  for (const std::string& line : plan.host.facts) text += line + '\n';
  plan.host.fingerprint = runtime::sha256_of(text);
  return plan;
}

}  // namespace

TEST_CASE("plan file: only memory that waits on the host of the plan is configured or bound") {
  auto plan = with_unconfigured(*apply::read_plan(golden_plan(), "plan.json"),
                                {"2000..2007 standby", "3000..3003 dax0.0", "3008..3009 dax0.0"});
  const auto accepted = [&](std::vector<plan::ConfigureBlocks> steps) {
    plan.steps.clear();
    for (const plan::ConfigureBlocks& config : steps)
      plan.steps.push_back(
          {static_cast<std::uint32_t>(plan.steps.size() + 1), plan::Action(config), {}, ""});
    return apply::read_plan(render::plan_to_json(plan), "plan.json").has_value();
  };
  const auto config = [](std::uint64_t first, std::uint64_t last, const char* device) {
    return plan::ConfigureBlocks{{model::BlockId(first), model::BlockId(last)},
                                 model::NodeId(0),
                                 true,
                                 std::nullopt,
                                 device};
  };
  CHECK(accepted({config(2001, 2003, "")}));
  CHECK(accepted({config(3000, 3003, "dax0.0"), config(3008, 3009, "dax0.0")}));
  CHECK_FALSE(accepted({config(3000, 3003, "dax0.0")}));
  CHECK_FALSE(accepted({config(3000, 3009, "dax0.0")}));
  CHECK_FALSE(accepted({config(3000, 3003, "dax1.0")}));
  CHECK_FALSE(accepted({config(3000, 3003, "")}));
  CHECK_FALSE(accepted({config(2000, 2008, "")}));
  CHECK_FALSE(accepted({config(2000, std::uint64_t{1} << 59U, "")}));
}

TEST_CASE("plan file: every kind of step reads back") {
  auto plan = with_unconfigured(*apply::read_plan(golden_plan(), "plan.json"),
                                {"2000..2007 standby", "3000..3003 dax0.0"});
  plan.steps.clear();
  const auto add = [&](plan::Action action) {
    plan.steps.push_back(
        {static_cast<std::uint32_t>(plan.steps.size() + 1), std::move(action), {}, "why\n\"so\""});
  };
  add(plan::SetKnob{model::Knob::AutoOnlineBlocks, "offline", "online", plan::KnobScope::Run});
  add(plan::SetKnob{model::Knob::OnlinePolicy, "auto-movable", "contig-zones",
                    plan::KnobScope::Stay});
  add(plan::SetKnob{model::Knob::AutoMovableRatio, "250", "301", plan::KnobScope::Stay});
  add(plan::SetKnob{model::Knob::AutoMovableNumaAware, "N", "Y", plan::KnobScope::Stay});
  add(plan::OfflineBlocks{
      {model::BlockId(35), model::BlockId(32)}, std::nullopt, model::Zone::Normal});
  add(plan::ProbeBlock{1000ULL * (128U << 20)});
  add(plan::ConfigureBlocks{
      {model::BlockId(2000), model::BlockId(2007)}, model::NodeId(0), true, true});
  add(plan::OnlineBlocks{model::OnlineWord::OnlineMovable,
                         {model::BlockId(2007), model::BlockId(2000)},
                         model::NodeId(0),
                         model::Zone::Movable});
  add(plan::ConfigureBlocks{
      {model::BlockId(35), model::BlockId(32)}, std::nullopt, false, std::nullopt});
  add(plan::ConfigureBlocks{{model::BlockId(3000), model::BlockId(3003)},
                            model::NodeId(1),
                            true,
                            std::nullopt,
                            "dax0.0"});
  add(plan::OnlineBlocks{model::OnlineWord::Online,
                         {model::BlockId(1000), model::BlockId(1000)},
                         model::NodeId(1),
                         model::Zone::Movable});
  add(plan::SetParameters{{"movable_node", "a=\"b c\""}, {"quiet"}});
  plan.boot.nodes.push_back({model::NodeId(0), {{"Movable", 1}}, {{"Movable", 2}}});
  const std::string json = render::plan_to_json(plan);
  const auto again = apply::read_plan(json, "plan.json");
  if (!again) FAIL(refusal(json));
  CHECK(again->steps == plan.steps);
  CHECK(again->host == plan.host);
  CHECK(render::plan_to_json(*again) == json);
  CHECK(render::plan_to_shell(*again) == render::plan_to_shell(plan));
}

TEST_CASE("plan file: steps over thousands of blocks that earlier steps add are checked at once") {
  auto plan = *apply::read_plan(golden_plan(), "plan.json");
  plan.steps.clear();
  const auto add = [&](plan::Action action) {
    plan.steps.push_back({static_cast<std::uint32_t>(plan.steps.size() + 1), action, {}, ""});
  };
  constexpr std::uint64_t kFirst = 1000, kBlocks = 20'000;
  for (std::uint64_t i = 0; i < kBlocks; ++i) add(plan::ProbeBlock{(kFirst + i) * (128U << 20)});
  const auto online = [&](std::uint64_t last) {
    add(plan::OnlineBlocks{model::OnlineWord::Online,
                           {model::BlockId(kFirst), model::BlockId(last)},
                           model::NodeId(0),
                           model::Zone::Movable});
  };
  for (int i = 0; i < 200; ++i) online(kFirst + kBlocks - 1);
  CHECK(apply::read_plan(render::plan_to_json(plan), "plan.json").has_value());
  online(kFirst + kBlocks);
  const auto refused = apply::read_plan(render::plan_to_json(plan), "plan.json");
  REQUIRE(!refused);
  CHECK(refused.error().message ==
        "step 20201 writes memory21000, but the host of the plan has no such block");
}

TEST_CASE("plan file: members of a later version do no harm") {
  const std::string json = replaced(golden_plan(), "{\n", "{\n  \"mood\": {\"a\": [1, \"]\"]},\n");
  CHECK(apply::read_plan(json, "plan.json").has_value());
}

TEST_CASE("plan file: what is not a plan is refused, and the message shows where") {
  std::string text;
  for (const Case& one : cases()) text += "=== " + std::string(one.name) + "\n" + refusal(one.json);
  const fs::path golden = kTests / "runtime/data/wrong_plans.txt";
  if (std::getenv("MEMONLINE_UPDATE_GOLDEN") != nullptr)
    std::ofstream(golden, std::ios::binary) << text;
  CHECK(text == content_of(golden));
}

TEST_CASE("plan file: where a value stands in its text") {
  const std::string json = R"( { "a" : [ 1 , "]\"" , {"b":{}, "c" : null } ] , "d":2,"d":33 })";
  const auto at = [&](const apply::JsonPath& path) {
    const apply::JsonPlace place = apply::place_of(json, path);
    return json.substr(place.begin, place.end - place.begin);
  };
  CHECK(at({{"a", 0}, {"", 0}}) == "1");
  CHECK(at({{"a", 0}, {"", 1}}) == R"("]\"")");
  CHECK(at({{"a", 0}, {"", 2}, {"c", 0}}) == "null");
  CHECK(at({{"a", 0}, {"", 2}, {"x", 0}}) == R"({"b":{}, "c" : null })");
  CHECK(at({{"d", 0}}) == "33");
  CHECK(at({{"d", 0}, {"", 4}}) == "33");
  CHECK(at({}).front() == '{');
  CHECK(at({{"a", 0}, {"", 2}, {"b", 0}}) == "{}");
  CHECK(apply::place_of(R"({"a":1,"a":{"b":[2]}})", {{"a", 0}, {"b", 0}, {"", 0}}).begin == 17);
  CHECK(apply::place_of(R"({"a":{"b":1},"a":2})", {{"a", 0}, {"b", 0}}).begin == 17);
  CHECK(apply::place_of("[[[", {{"", 0}, {"", 1}}).begin == 1);
  CHECK(apply::text_of({{"a", 0}, {"", 2}, {"c", 0}}) == "a[2].c");
}
