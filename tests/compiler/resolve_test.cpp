// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/sema/resolve.hpp"

#include <string>

#include "compiler/language/settings.hpp"
#include "compiler/sema/analyse.hpp"
#include "compiler/sema/facts.hpp"
#include "compiler/sema/version.hpp"
#include "tests/support/catch.hpp"

namespace sema = memonline::sema;
namespace diag = memonline::diag;
namespace language = memonline::language;
namespace model = memonline::model;

namespace {

model::Host some_host() {
  model::Host host;
  host.arch = "x86_64";
  host.virtualization = "none";
  host.kernel = "6.1.0-50-cloud-amd64";
  host.vendor = "VMware, Inc.";
  host.product = "PowerEdge R750";
  host.family = "PowerEdge";
  host.memory = model::Bytes(std::uint64_t{64} << 30U);
  host.nodes.resize(2);
  return host;
}

sema::FlatPolicy resolved(const std::string& text, const model::Host& host, diag::Sink& sink) {
  diag::Sink found;
  const auto policy = sema::analyse({{"t.mempolicy", text}}, found);
  INFO(text);
  REQUIRE(policy.has_value());
  return sema::resolve(*policy, host, sink);
}

bool holds(const std::string& condition, const model::Host& host = some_host()) {
  diag::Sink sink;
  const auto flat = resolved("when " + condition + " { set rezone = allowed }", host, sink);
  return flat.settings.is(language::Rezone::Allowed);
}

}  // namespace

TEST_CASE("resolve: words match exactly or by pattern") {
  CHECK(holds("arch is x86_64"));
  CHECK(holds("arch is s390x, x86_64"));
  CHECK_FALSE(holds("arch is s390x, ppc64le"));
  CHECK(holds("arch is not s390x, ppc64le"));
  CHECK_FALSE(holds("arch is not s390x, x86_64"));
  CHECK(holds("vendor is \"VMware, Inc.\""));
  CHECK_FALSE(holds("vendor is \"vmware, inc.\""));
  CHECK(holds("vendor is VMware*"));
  CHECK(holds("product is PowerEdge?R75?"));
  CHECK_FALSE(holds("product is PowerEdge"));
  CHECK(holds("family is PowerEdge"));
  CHECK_FALSE(holds("family is RHV"));
  CHECK(holds("virtualization is none"));
}

TEST_CASE("resolve: kernels compare as versions, by the numbers written") {
  CHECK(holds("kernel < 6.12"));
  CHECK(holds("kernel is 6.1"));
  CHECK(holds("kernel is not 6.10"));
  CHECK(holds("kernel <= 6.1"));
  CHECK_FALSE(holds("kernel > 6.1"));
  CHECK(holds("kernel > 5.15"));
  CHECK(holds("kernel >= 6.1.0-50"));
  CHECK_FALSE(holds("kernel >= 6.1.0-51"));
  CHECK(holds("kernel is 5.10, 6"));
}

TEST_CASE("resolve: memory and nodes compare as numbers") {
  CHECK(holds("memory >= 64GiB"));
  CHECK_FALSE(holds("memory > 64GiB"));
  CHECK(holds("memory < 0.5TiB"));
  CHECK(holds("nodes is 1, 2"));
  CHECK(holds("nodes <= 2"));
  CHECK_FALSE(holds("nodes < 2"));
}

TEST_CASE("resolve: a fact that is not told satisfies no test and is said once") {
  diag::Sink sink;
  const auto flat = resolved(
      "when arch is not s390x { set rezone = allowed } else { set hotplug = service }\n"
      "when arch is s390x { all: keep } else { all: movable }\n"
      "when memory > 1GiB { all: keep }\nwhen nodes > 1 { all: keep }",
      model::Host{}, sink);
  CHECK(flat.settings.is(language::Rezone::Never));
  CHECK(flat.settings.is(language::Hotplug::Service));
  REQUIRE(flat.rules.size() == 1);
  CHECK(flat.rules[0].shares[0].target == sema::Target::Movable);
  REQUIRE(sink.all().size() == 3);
  CHECK(sink.all()[0].code == diag::Code::FactUnknown);
  CHECK(sink.all()[0].message == "this host does not provide `arch`: no test of it is true");
  CHECK(!sink.has_errors());
}

TEST_CASE("resolve: order is kept, the last setting holds, branches nest") {
  diag::Sink sink;
  const auto flat = resolved(
      "node1: movable\nset hotplug = kernel\n"
      "when arch is s390x { all: keep } else when nodes is 2 { when kernel >= 6 { node2: normal\n"
      "limit movable to 3x normal } } else { all: offline }\nset hotplug = service; all: auto",
      some_host(), sink);
  REQUIRE(flat.rules.size() == 3);
  CHECK(flat.rules[0].shares[0].target == sema::Target::Movable);
  CHECK(flat.rules[1].shares[0].target == sema::Target::Normal);
  CHECK(flat.rules[2].shares[0].target == sema::Target::Auto);
  CHECK(flat.limits.size() == 1);
  CHECK(flat.settings.is(language::Hotplug::Service));
  CHECK(flat.settings.span<language::Hotplug>().has_value());
  CHECK_FALSE(flat.settings.span<language::Rezone>().has_value());
}

TEST_CASE("version: releases of distributions") {
  using memonline::sema::compare_release;
  CHECK((compare_release("5.14.0-427.13.1.el9_4.x86_64", "5.14.0-427") == 0));
  CHECK((compare_release("3.10.0-1160.el7.x86_64", "4") < 0));
  CHECK((compare_release("6.12-rc3", "6.12") == 0));
  CHECK((compare_release("6.12-rc3", "6.12.1") < 0));
  CHECK((compare_release("6.12.0+deb13-amd64", "6.12.0") == 0));
  CHECK((compare_release("6.010", "6.10") == 0));
  CHECK((compare_release("", "0") == 0));
  CHECK(memonline::sema::is_version("6.1.0-50"));
  for (const char* bad : {"", ".", "6.", "six", "6..1", "6.1-", "6.1a", "-6"})
    CHECK_FALSE(memonline::sema::is_version(bad));
}

TEST_CASE("facts: patterns match as in a shell, in bounded time") {
  using memonline::sema::matches_pattern;
  CHECK(matches_pattern("caf\xc3\xa9!", "caf?!"));
  CHECK(matches_pattern("abc", "*"));
  CHECK(matches_pattern("", "**"));
  CHECK_FALSE(matches_pattern("", "?"));
  CHECK(matches_pattern("aXbXc", "a*X?"));
  CHECK_FALSE(matches_pattern("[a]", "[ab]"));
  std::string stars;
  for (int i = 0; i < 200; ++i) stars += "a*";
  CHECK_FALSE(matches_pattern(std::string(20'000, 'a'), stars + "b"));
}
