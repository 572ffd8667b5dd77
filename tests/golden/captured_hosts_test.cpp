// SPDX-License-Identifier: LGPL-2.1-or-later
// Every captured host: the kernel model says of each block what the real kernel said, a plan's
// outcome is what the real kernel made of it, and every policy of tests/golden/policies plans
// without error, is proved and gives the plan in golden/plans (a paragraph per host) and
// golden/documents (some whole ones). MEMONLINE_UPDATE_GOLDEN=1 rewrites these files.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <nlohmann/json.hpp>

#include "compiler/kernel/boot_zones.hpp"
#include "compiler/kernel/model.hpp"
#include "compiler/render/plan.hpp"
#include "runtime/apply/plan_file.hpp"
#include "runtime/base/digest.hpp"
#include "runtime/host/archive.hpp"
#include "runtime/host/read_host.hpp"
#include "tests/golden/paragraph.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/host_builder.hpp"
#include "tests/support/planning.hpp"

using namespace memonline;
namespace fs = std::filesystem;

namespace {

const fs::path kTests = MEMONLINE_TESTS_DIR;

std::vector<fs::path> files_in(const fs::path& directory) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(directory))
    if (entry.is_regular_file() && entry.path().extension() != ".md") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

std::string content_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

model::Host captured(const fs::path& path) {
  auto host = runtime::read_host(path.string());
  INFO(path);
  REQUIRE(host.has_value());
  return *host;
}

std::string name_of(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.substr(0, name.rfind(".tar"));
}

source::SourceSet named(const std::string& name, const std::string& text) {
  return {source::SourceFile(name, text, runtime::sha256_of(text))};
}

/// What tests/vm/layouts_test.py wrote of a host that it kept: "NAME: before `POLICY`".
std::string policy_of_layout(const fs::path& path) {
  const auto archive = runtime::open_archive(path.string());
  REQUIRE(archive.has_value());
  const auto meta = nlohmann::json::parse((*archive)->read("META.json").value());
  const auto told = meta.at("layout").get<std::string>();
  const std::size_t first = told.find('`'), last = told.rfind('`');
  REQUIRE(first < last);
  return told.substr(first + 1, last - first - 1) + "\n";
}

/// Each block with its state and its zones.
std::string blocks_text(const model::Host& host) {
  std::ostringstream text;
  for (const model::BlockRun& run : host.blocks)
    for (std::uint64_t i = 0; i < run.count; ++i)
      text << (run.first + i).value() << ' ' << model::state_name(run.state) << ' '
           << test::zones_text(run.zones) << '\n';
  return text.str();
}

/// Each node with its zones, in pages, as /proc/zoneinfo says them.
std::string zones_of_nodes(const model::Host& host) {
  std::ostringstream text;
  for (const model::Node& node : host.nodes)
    for (std::size_t zone = 0; zone < model::kZoneCount; ++zone)
      if (const model::ZoneSpan& span = node.zones[zone]; !span.empty())
        text << "node" << node.id.value() << " zone " << zone << " from " << span.start.value()
             << " spans " << span.spanned << " has " << span.present << '\n';
  return text.str();
}

void check_golden(const fs::path& golden, const std::string& text) {
  if (std::getenv("MEMONLINE_UPDATE_GOLDEN") != nullptr) {
    fs::create_directories(golden.parent_path());
    std::ofstream(golden, std::ios::binary) << text;
  }
  INFO(golden);
  CHECK(text == content_of(golden));
}

}  // namespace

TEST_CASE("captured hosts: a plan's outcome is what the real kernel made of it") {
  std::size_t compared = 0;
  for (const fs::path& path : files_in(kTests / "hosts")) {
    const std::string name = name_of(path);
    const std::size_t suffix = name.rfind("-before");
    const fs::path after = path.parent_path() / (name.substr(0, suffix) + "-after.tar.xz");
    if (suffix == std::string::npos || !fs::exists(after)) continue;
    INFO(path);
    const source::SourceSet policy = named("layout.mempolicy", policy_of_layout(path));
    const Compilation c = compile(policy, captured(path));
    REQUIRE(c.plan.has_value());
    CHECK_FALSE(c.plan->steps.empty());
    CHECK(blocks_text(c.outcome) == blocks_text(captured(after)));
    CHECK(zones_of_nodes(c.outcome) == zones_of_nodes(captured(after)));
    const Compilation again = compile(policy, captured(after));
    REQUIRE(again.plan.has_value());
    CHECK(test::steps_text(*again.plan).empty());
    ++compared;
  }
  CHECK(compared >= 20);
}

TEST_CASE("captured hosts: the model says of each block what the real kernel said") {
  const auto hosts = files_in(kTests / "hosts");
  CHECK(hosts.size() >= 22);
  for (const fs::path& path : hosts) {
    const model::Host host = captured(path);
    const kernel::Model model(host);
    INFO(path);
    for (const model::BlockRun& run : host.blocks)
      for (std::uint64_t i = 0; i < run.count; ++i) {
        const model::BlockId block = run.first + i;
        INFO("memory" << block.value());
        CHECK(test::zones_text(model.valid_zones(block)) == test::zones_text(run.zones));
      }
  }
}

TEST_CASE("captured hosts: boot memory has the zones that the kernel gave it") {
  std::size_t compared = 0;
  for (const fs::path& path : files_in(kTests / "hosts")) {
    const model::Host host = captured(path);
    const bool as_booted =
        std::all_of(host.blocks.begin(), host.blocks.end(), [&](const model::BlockRun& run) {
          const bool boot = host.devices[run.device].origin == model::Origin::Boot;
          return boot == (run.state == model::State::Online);
        });
    kernel::CoreRequest request;
    request.movable_node = host.movable_node();
    if (const auto value = host.command_line_value("kernelcore"))
      request.kernelcore = kernel::parse_core(*value, host.page_size);
    if (const auto value = host.command_line_value("movablecore"))
      request.movablecore = kernel::parse_core(*value, host.page_size);
    // Movable that no parameter requests came later.
    const bool rezoned =
        !request.movable_node && !request.kernelcore && !request.movablecore &&
        std::any_of(host.blocks.begin(), host.blocks.end(), [&](const model::BlockRun& run) {
          return run.state == model::State::Online && run.zones.size() > 0 &&
                 run.zones[0] == model::Zone::Movable;
        });
    if (!as_booted || rezoned) continue;
    for (const kernel::BootZones& zones :
         kernel::boot_zones(kernel::boot_memory_of(host), request)) {
      const model::Node* node = host.find_node(zones.id);
      REQUIRE(node != nullptr);
      for (std::size_t zone = 0; zone < model::kZoneCount; ++zone) {
        INFO(path.filename() << " node " << zones.id.value() << " zone " << zone);
        CHECK(zones.present[zone] == node->zones[zone].present);
        ++compared;
      }
    }
  }
  CHECK(compared > 50);
}

TEST_CASE("captured hosts: every policy plans, is proved and gives the golden plan") {
  const auto policies = files_in(kTests / "golden" / "policies");
  CHECK(policies.size() >= 10);
  const auto hosts = files_in(kTests / "hosts");
  for (const fs::path& policy_path : policies) {
    const std::string policy = policy_path.stem().string();
    const source::SourceSet files = named(policy_path.filename().string(), content_of(policy_path));
    std::string paragraphs;
    for (const fs::path& host_path : hosts) {
      const model::Host host = captured(host_path);
      const Compilation c = compile(files, host);
      INFO(host_path << " " << policy_path << " " << test::codes_text(c.diagnostics));
      REQUIRE(c.plan.has_value());
      const Compilation again = compile(files, c.outcome);
      REQUIRE(again.plan.has_value());
      CHECK(test::steps_text(*again.plan).empty());
      paragraphs += name_of(host_path) + "\n" + test::paragraph_of(*c.plan) + "\n";

      const std::string json = render::plan_to_json(*c.plan);
      const auto read = apply::read_plan(json, "plan.json");
      REQUIRE(read.has_value());
      CHECK(render::plan_to_json(*read) == json);
      // The documents that are kept whole have between them every member of the schema.
      const fs::path document =
          kTests / "golden" / "documents" / name_of(host_path) / (policy + ".json");
      if (fs::exists(document)) check_golden(document, json);
    }
    check_golden(kTests / "golden" / "plans" / (policy + ".txt"), paragraphs);
  }
}
