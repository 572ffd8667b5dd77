// SPDX-License-Identifier: LGPL-2.1-or-later
// Packages: places of the policy in the YAML file, and input that no package may be.
#include "runtime/policy/package.hpp"

#include "runtime/policy/store.hpp"
#include "tests/support/catch.hpp"

using namespace memonline;

namespace {

const std::string kHead = "schema: memonline.policy/1\nversion: 1\nname: a\nsummary: b\n";

std::optional<policy::Package> read(const std::string& text, diag::Sink& sink) {
  return policy::read_package({source::SourceFile("p.yaml", text)}, 0, sink);
}

std::string only_code(const std::string& text) {
  diag::Sink sink;
  const bool package = read(text, sink).has_value();
  return package || sink.all().size() != 1 ? "" : diag::name_of(sink.all().front().code);
}

}  // namespace

TEST_CASE("package: the policy knows its places, however its block is written") {
  for (const std::string header : {"|", "|-", "|+", "|2", "|2-", "| # why"}) {
    diag::Sink sink;
    const auto package = read(kHead + "policy: " + header + "\n\n  all: keep\n", sink);
    REQUIRE(package);
    const std::size_t at = package->policy.text().find("keep");
    CHECK(package->policy.place(at) == source::Place{7, 8});
  }
}

TEST_CASE("package: bytes that are not UTF-8 are refused where they are") {
  diag::Sink sink;
  CHECK(!read(kHead + "policy: |\n  # \xff\n  all: keep\n", sink));
  REQUIRE(sink.all().size() == 1);
  CHECK(sink.all().front().message.find("invalid UTF-8") != std::string::npos);
  REQUIRE(sink.all().front().span);
  CHECK(sink.all().front().span->begin == kHead.size() + std::string("policy: |\n  # ").size());
}

TEST_CASE("package: what no package may be is told by its code") {
  CHECK(only_code("[") == "ML0701");
  CHECK(only_code("- a") == "ML0704");
  CHECK(only_code(kHead + "policy: |\n  all: keep\nwhom: x\n") == "ML0702");
  CHECK(only_code(kHead) == "ML0703");
  CHECK(only_code("schema: memonline.policy/9\n") == "ML0705");
  CHECK(only_code(kHead + "policy: 'all: keep'\n") == "ML0706");
  CHECK(only_code(kHead + "policy: |\n  all: keep\nwho: &x y\n") == "ML0707");
  CHECK(only_code(kHead + "policy: |\n  all: keep\nname: c\n") == "ML0708");
  CHECK(only_code(std::string(100'000, '[')) != "");
  CHECK(only_code(std::string(11U << 20U, 'a')) == "ML0707");
}

TEST_CASE("store: names that are read") {
  CHECK(policy::is_policy_name("50-a.mempolicy"));
  CHECK(policy::is_policy_name("50-a.yaml"));
  CHECK_FALSE(policy::is_policy_name(".50-a.yaml"));
  CHECK_FALSE(policy::is_policy_name("50-a.yaml.dpkg-old"));
  CHECK_FALSE(policy::is_policy_name(".yaml"));
}
