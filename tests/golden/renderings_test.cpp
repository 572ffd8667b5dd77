// SPDX-License-Identifier: LGPL-2.1-or-later
// The other faces of a plan: YAML says what JSON says, text and shell are held against golden
// files, and `sh` can read what it is given. MEMONLINE_UPDATE_GOLDEN=1 writes the files anew.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <nlohmann/json.hpp>
#include <yaml-cpp/yaml.h>

#include "compiler/render/map.hpp"
#include "compiler/render/plan.hpp"
#include "runtime/host/read_host.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/host_builder.hpp"
#include "tests/support/planning.hpp"

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

void check_golden(const std::string& name, const std::string& text) {
  const fs::path golden = kTests / "golden" / "renderings" / name;
  if (std::getenv("MEMONLINE_UPDATE_GOLDEN") != nullptr) {
    fs::create_directories(golden.parent_path());
    std::ofstream(golden, std::ios::binary) << text;
  }
  INFO(name);
  CHECK(text == content_of(golden));
}

void check_equal(const YAML::Node& yaml, const nlohmann::json& json, const std::string& path) {
  INFO(path);
  if (json.is_object()) {
    REQUIRE(yaml.IsMap());
    REQUIRE(yaml.size() == json.size());
    for (const auto& [key, value] : json.items()) check_equal(yaml[key], value, path + "/" + key);
  } else if (json.is_array()) {
    REQUIRE(yaml.IsSequence());
    REQUIRE(yaml.size() == json.size());
    for (std::size_t i = 0; i < json.size(); ++i)
      check_equal(yaml[i], json[i], path + "/" + std::to_string(i));
  } else if (json.is_null()) {
    CHECK(yaml.IsNull());
  } else if (json.is_string()) {
    CHECK(yaml.as<std::string>() == json.get<std::string>());
    // A quoted or plain word, never something a reader takes for a number.
    CHECK((yaml.Tag() == "!" || yaml.as<std::string>().find_first_not_of("0123456789.") == 0));
  } else {
    CHECK(yaml.as<std::string>() == json.dump());
  }
}

model::Host captured(const std::string& name) {
  auto host = runtime::read_host((kTests / "hosts" / (name + ".tar.xz")).string());
  REQUIRE(host.has_value());
  return *host;
}

}  // namespace

TEST_CASE("renderings: YAML says what JSON says") {
  for (const char* name : {"6.12-c1", "6.1-f1", "5.10-j1", "7.2-i1"})
    for (const char* policy : {"each node: last 75% movable, rest normal", "# nothing",
                               "hotplugged: auto\nlimit movable to 3x normal per node",
                               "set rezone = allowed\nhotplugged: movable # yes: \"no\" 'on'\n"}) {
      const Compilation c = test::plan_for(captured(name), policy);
      REQUIRE(c.plan);
      const auto json = nlohmann::json::parse(render::plan_to_json(*c.plan));
      check_equal(YAML::Load(render::plan_to_yaml(*c.plan)), json, name);
    }
}

TEST_CASE("renderings: text, YAML and shell as they stand in the golden files") {
  const model::Host c1 = captured("6.12-c1");
  const Compilation mixed =
      test::plan_for(c1, "each node: last 75% movable, rest normal\nset rezone = allowed\n");
  REQUIRE(mixed.plan);
  check_golden("6.12-c1-rezoned.txt", render::plan_to_text(*mixed.plan, c1));
  check_golden("6.12-c1-rezoned.yaml", render::plan_to_yaml(*mixed.plan));
  check_golden("6.12-c1-rezoned.sh", render::plan_to_shell(*mixed.plan));
  check_golden("6.12-c1-rezoned.svg", render::map_to_svg(c1, &mixed.outcome));

  const Compilation rest = test::plan_for(mixed.outcome,
                                          "each node: last 75% movable, rest normal\n"
                                          "set rezone = allowed\n");
  REQUIRE(rest.plan);
  check_golden("6.12-c1-at-rest.txt", render::plan_to_text(*rest.plan, mixed.outcome));

  // The example of compiler/README.md: 8 boot blocks, 40 offline ones above.
  test::HostBuilder builder;
  builder.boot(1, 32, 8).dimm(1, 40, 40);
  const model::Host example = builder.build();
  const Compilation c = test::plan_for(example, "node1: last 80% movable, rest normal\n");
  REQUIRE(c.plan);
  check_golden("design-example.txt", render::plan_to_text(*c.plan, example));
}

TEST_CASE("renderings: a knob that is set for the run says so, and the script puts it back") {
  model::Host host = captured("6.12-c1");
  host.knobs.auto_online_blocks = "online";
  const Compilation c = test::plan_for(host, "hotplugged: movable\n");
  REQUIRE(c.plan);
  check_golden("6.12-c1-held-back.txt", render::plan_to_text(*c.plan, host));
  check_golden("6.12-c1-held-back.yaml", render::plan_to_yaml(*c.plan));
  check_golden("6.12-c1-held-back.sh", render::plan_to_shell(*c.plan));
  const auto first = nlohmann::json::parse(render::plan_to_json(*c.plan))["steps"][0];
  CHECK(first["scope"] == "run");
  CHECK(render::step_text(c.plan->steps.front()) == "set auto_online_blocks=offline for the run");

  const fs::path root = fs::temp_directory_path() / "memonline-renderings-held-back";
  const fs::path memory = root / "sys/devices/system/memory";
  const auto put = [&](const std::string& name, const std::string& text) {
    fs::create_directories((memory / name).parent_path());
    std::ofstream(memory / name) << text << "\n";
  };
  const auto run = [&](const std::string& zone_of_36) {
    put("block_size_bytes", "8000000");
    put("auto_online_blocks", "online");
    for (const char* block : {"memory36", "memory37", "memory41", "memory42"}) {
      put(std::string(block) + "/state", "offline");
      put(std::string(block) + "/valid_zones", "Movable");
    }
    put("memory36/valid_zones", zone_of_36);
    const fs::path script = root / "plan.sh";
    std::ofstream(script) << render::plan_to_shell(*c.plan);
    return std::system(
        ("MEMONLINE_ROOT=" + root.string() + " sh " + script.string() + " 2>/dev/null").c_str());
  };
  CHECK(run("Movable") == 0);
  CHECK(content_of(memory / "auto_online_blocks") == "online_movable\n");
  CHECK(run("Normal") != 0);
  CHECK(content_of(memory / "auto_online_blocks") == "online\n");
  fs::remove_all(root);
}

TEST_CASE("renderings: sh can read the script, whatever the policy says in its text") {
  const model::Host host = captured("6.12-a1");
  for (const char* policy : {"all: movable", "hotplugged: last 50% movable, rest normal",
                             "hotplugged: auto # '\"$(reboot)`reboot`\n"}) {
    const Compilation c = test::plan_for(host, policy);
    REQUIRE(c.plan);
    const fs::path script = fs::temp_directory_path() / "memonline-renderings-test.sh";
    std::ofstream(script) << render::plan_to_shell(*c.plan);
    CHECK(std::system(("sh -n " + script.string()).c_str()) == 0);
    fs::remove(script);
  }
}
