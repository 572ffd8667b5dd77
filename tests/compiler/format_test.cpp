// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/syntax/format.hpp"

#include <algorithm>
#include <string>

#include <rapidcheck.h>

#include "compiler/sema/analyse.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/policy_dump.hpp"

namespace sema = memonline::sema;
namespace diag = memonline::diag;

namespace {

std::string formatted(const std::string& text) {
  diag::Sink sink;
  const auto result = memonline::syntax::format({"t.mempolicy", text}, sink);
  return result.value_or("does not parse");
}

std::string meaning(const std::string& text) {
  diag::Sink sink;
  const auto policy = sema::analyse({{"t.mempolicy", text}}, sink);
  return policy ? memonline::test::dump(*policy) : "wrong";
}

struct Example {
  const char* from;
  const char* to;
};

}  // namespace

TEST_CASE("format: one spelling") {
  for (const Example& e : {
           Example{"", ""},
           {"# c", "# c\n"},
           {"\xEF\xBB\xBFnode1:movable\r\n", "node1: movable\n"},
           {"node 1 hotplugged:last 80 % movable,rest normal;dimm 2 : offline",
            "node1 hotplugged: last 80% movable, rest normal\ndimm2: offline\n"},
           {"node 0 - 3 , 8 except dimm:keep", "node0-3,8 except dimm: keep\n"},
           {"block32-47: keep\naddress0x0-0xfff: keep",
            "block 32-47: keep\naddress 0x0-0xfff: keep\n"},
           {"dax dax0.0:keep\ndax 1.0:keep\ndax:keep\ndriver  kmem:keep\ndriver \"a b\": keep",
            "dax0.0: keep\ndax1.0: keep\ndax: keep\ndriver kmem: keep\ndriver \"a b\": keep\n"},
           {"all: 4 G movable, 5 KiB normal, 64blocks offline",
            "all: 4GiB movable, 5KiB normal, 64 blocks offline\n"},
           {"limit  movable to 3 x normal  per node", "limit movable to 3x normal per node\n"},
           {"set rezone=never", "set rezone = never\n"},
           {"\n\n\n# a\n\n\n# b\nall: keep\n\n\n\nboot: keep # c  \n\n\n",
            "# a\n\n# b\nall: keep\n\nboot: keep  # c\n"},
           {"when arch is  not s390x,\"a b\"{all:keep}else when nodes>1{}else{boot:auto;all:keep}",
            "when arch is not s390x, \"a b\" {\n  all: keep\n} else when nodes > 1 {\n} else {\n"
            "  boot: auto\n  all: keep\n}\n"},
           {"when arch is x # a\n# b\n{ # c\n\n  # d\n\n  all: keep # e\n  # f\n\n} # g\n# h\nelse "
            "# "
            "i\n{\n} # j\n# k",
            "when arch is x {  # a\n  # b\n  # c\n\n  # d\n\n  all: keep  # e\n  # f\n} else {  # "
            "g\n "
            " # h\n  # i\n}  # j\n# k\n"},
           {"when a is b { when c is d { all: keep } } # e",
            "when a is b {\n  when c is d {\n    "
            "all: keep\n  }\n}  # e\n"},
           {"when vendor is \"a # b\" { all: keep # c\n}",
            "when vendor is \"a # b\" {\n  all: keep "
            " # c\n}\n"},
           {"nodd1: movble", "nodd1: movble\n"},
           {"node1:", "does not parse"},
       }) {
    INFO(e.from);
    CHECK(formatted(e.from) == e.to);
    if (std::string(e.to) != "does not parse") CHECK(formatted(e.to) == e.to);
    CHECK(meaning(e.from) == meaning(e.from[0] != '\0' && e.to[0] != 'd' ? e.to : e.from));
  }
}

namespace {

std::string pick(std::initializer_list<const char*> words) {
  return *rc::gen::elementOf(std::vector<std::string>(words.begin(), words.end()));
}
int up_to(int n) { return *rc::gen::inRange(0, n + 1); }
std::string blanks() { return pick({" ", "  ", "\t"}); }
std::string maybe(const std::string& text) { return up_to(1) == 0 ? "" : text; }

std::string any_classes() {
  std::string text;
  for (int n = up_to(2); n >= 0; --n)
    text += pick({"all",
                  "boot",
                  "hotplugged",
                  "node1",
                  "node 0-3,8",
                  "node 7 , 9 - 12",
                  "cpuless",
                  "dimm",
                  "dimm2",
                  "dimm 0 - 4",
                  "virtio-mem",
                  "standby",
                  "dax",
                  "dax0.0",
                  "dax dax1.0",
                  "driver kmem",
                  "driver \"a, b\"",
                  "block32-47",
                  "block 5",
                  "address 0x100000000-0x13fffffff"}) +
            blanks();
  return text;
}

std::string any_rule() {
  const std::string each = pick({"", "", "each node ", "each dimm ", "each virtio-mem "});
  std::string text = each + any_classes() + maybe("except " + any_classes()) + ":";
  for (int n = up_to(2); n >= 0; --n) {
    text += pick({"", "first", "last "}) + blanks() +
            pick({"", "10%", "12.5 %", "4G", "1.5 GiB", "64 blocks", "7blocks"}) + blanks() +
            pick({"movable", "normal", "auto", "offline", "keep"}) + (n > 0 ? "," : "");
  }
  return text + maybe(", rest normal");
}

std::string any_end() {
  return pick({"\n", "\r\n", " ;", "\n\n\n", " # end \n", " # end\n\n  # own\n", "\n# a\n# b\n"});
}

std::string any_statements(int depth) {
  std::string text = maybe("# first\n");
  for (int n = up_to(3); n > 0; --n) {
    switch (up_to(depth > 0 ? 4 : 2)) {
      case 0: text += any_rule(); break;
      case 1:
        text += pick({"limit movable to 3 x normal", "limit movable to 50% per node",
                      "limit movable to 2.5x normal per node"});
        break;
      case 2: text += "set" + blanks() + pick({"rezone=allowed", "hotplug = kernel"}); break;
      default:
        text += "when " +
                pick({"arch is s390x", "arch is  not x86_64,s390x", "kernel<6.12",
                      "memory >= 4 GiB", "vendor is \"VMware, Inc.\", \"a # b\"", "nodes is 1,2"}) +
                pick({"{", " {\n", " # c\n # d\n{ # e\n"}) + any_statements(depth - 1) + "}" +
                maybe(pick({" else ", "\nelse\n", " # f\n # g\n else # h\n"}) + "{" +
                      any_statements(depth - 1) + "}");
    }
    text += any_end();
  }
  return text;
}

}  // namespace

TEST_CASE("format: any policy keeps its meaning and comments, and stays as it is", "[property]") {
  CHECK(rc::check("format", [] {
    const std::string text = any_statements(2);
    RC_LOG() << text;
    const std::string once = formatted(text);
    RC_ASSERT(once != "does not parse");
    RC_ASSERT(formatted(once) == once);
    RC_ASSERT(meaning(once) == meaning(text));
    const auto count = [](const std::string& of) { return std::count(of.begin(), of.end(), '#'); };
    RC_ASSERT(count(once) == count(text));
  }));
}
