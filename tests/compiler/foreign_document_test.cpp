// SPDX-License-Identifier: LGPL-2.1-or-later
// Files of another kind are known by their form; a policy with mistakes is never taken for one.
#include "compiler/syntax/foreign_document.hpp"

#include <string>
#include <utility>
#include <vector>

#include "compiler/sema/analyse.hpp"
#include "compiler/syntax/format.hpp"
#include "tests/support/catch.hpp"

using memonline::syntax::Document;
using memonline::syntax::recognize_foreign;
namespace diag = memonline::diag;

TEST_CASE("foreign documents: each is known by its form") {
  const std::vector<std::pair<Document, std::string>> documents{
      {Document::UdevRule, "SUBSYSTEM==\"memory\", ACTION==\"add\", ATTR{state}=\"online\"\n"},
      {Document::UdevRule, "# a rule\r\nATTR{[dmi/id]sys_vendor}==\"QEMU\", GOTO=\"end\"\r\n"},
      {Document::UdevRule, "ENV{.state} = \"online\"\n"},
      {Document::SystemdUnit, "# /etc\n[Install]\nWantedBy=multi-user.target\n"},
      {Document::Ini, "; old style\n[main]\nsummary = tuned\n"},
      {Document::Toml, "[owner]\nname = \"me\"\n"},
      {Document::Toml, "a = true\nb = 'x'\n"},
      {Document::Settings, "vm.swappiness = 10\nkernel.panic = 1\n"},
      {Document::Json, "  {\n}"},
      {Document::Json, "[\n  {\"a\": 1}\n]"},
      {Document::Plan, "{\"schema\":\"memonline.plan/1\",\"steps\":[]}"},
      {Document::Host, "{ \"schema\" : \"memonline.host/1\" }"},
      {Document::Host, "schema: memonline.host/1\nkernel: \"6.1\"\nnodes:\n- 0\n"},
      {Document::OwnDocument, "schema: memonline.status/1\nnodes: []\n"},
      {Document::PolicyPackage, "---\n# mine\nschema: memonline.policy/1\n"},
      {Document::Yaml, "%YAML 1.2\n---\na: b\n"},
      {Document::Yaml, "\xEF\xBB\xBFkind: Policy\nversion: v1\n"},
      {Document::Yaml, "settings:\n  online: true\nversion: x\n"},
      {Document::Yaml, "node1:\n  movable: 50%\n"},
      {Document::Yaml, "all:\n  movable: 80%\n  normal: 20%\n"},
      {Document::Yaml, "hotplugged:\n- movable\n"},
      {Document::Yaml, "hotplugged:   # new memory\n\n  - movable\n"},
      {Document::Yaml, "node1: movable\nnode2:\n  first: 25%\n"},
      {Document::Yaml, "each node:\n\tmovable: 50%\n"},
      {Document::Json, "[1, 2,\n 3]\n"},
      {Document::Json, "[[1], [2]]"},
      {Document::Toml, "[[rules]]\nmemory = \"node1\"\n"},
      {Document::Ini, "key = value\n[node1]\nzone = movable\n"},
      {Document::Xml, "<!DOCTYPE html>\n"},
      {Document::Xml, "<domain type='kvm'><memory/></domain>"},
      {Document::Script, "#!/usr/bin/env python3\nprint()\n"},
      {Document::ShellCommands, "sudo chmem -e 4G\n"},
      {Document::ShellCommands, "memonline apply --policy x\n"},
      {Document::CommandLine, "quiet splash kernelcore=4G\n"},
      {Document::BootLoader, "# comment\nGRUB_DEFAULT=0\n"},
      {Document::Tmpfiles, "w! /sys/devices/system/memory/auto_online_blocks - - - - online\n"},
      {Document::Lsmem, "Memory block size:       128M\n"},
      {Document::Lsmem, "{\"memory\": [{\"range\": \"0x0-0x1\"}]}"},
      {Document::Iomem, "00001000-0009fbff : System RAM\n  01000000-01ffffff : Kernel code\n"},
  };
  for (const auto& [document, text] : documents) {
    INFO(text);
    const auto found = recognize_foreign(text);
    REQUIRE(found);
    CHECK(static_cast<int>(found->document) == static_cast<int>(document));
    CHECK(found->begin < found->end);
    CHECK(found->end <= text.size());
    diag::Sink sink;
    CHECK(!memonline::sema::analyse({{"t.mempolicy", text}}, sink));
    CHECK(sink.errors() == 1);
    // Names are not looked up for formatting: YAML may have the form of rules.
    diag::Sink formatting;
    const bool formatted = memonline::syntax::format({"t.mempolicy", text}, formatting).has_value();
    CHECK(formatting.errors() == (formatted ? 0U : 1U));
  }
}

TEST_CASE("foreign documents: a policy with mistakes is not taken for one") {
  for (const std::string text : {"",
                                 "\n\n",
                                 "# only a comment",
                                 "node1: movble\n",
                                 "nod1: movble\nnod2: nrmal\n",
                                 "each node:\n  movable\nnode1: movable\n",
                                 "node1:\n  last 80% movable,\n  rest normal\n",
                                 "boot = movable\nnode1 = normal\n",
                                 "rezone = allowed\nhotplug = best\n",
                                 "kernelcore=4G\nmovable_node\n",
                                 "zebra: movable\nhorse: normal\n",
                                 "zebra: 80% movable\nhorse: rest\n",
                                 "node[1-3]: movable\n",
                                 "-boot: movable\n",
                                 "set kernelcore=4G\n",
                                 "when arch is x86_64 {\n  node1: movble\n}\n",
                                 "{ all: movable }\n",
                                 "node1: movable\n[x]\n",
                                 "[x]\nnode1: movable\n",
                                 "node1: movable\n[[x]]\n",
                                 "[0x100000000-0x1ffffffff]: movable\n",
                                 "[0-3]: movable\n",
                                 "[]: movable\n",
                                 "[1, 2]: movable\n",
                                 "node1:\n  movable\n",
                                 "if arch is x86_64:\n  node1: movable\n",
                                 "#!/usr/sbin/memonline check\nnode1: movble\n",
                                 "limit movable to 3:1\nall: movable\n"}) {
    INFO(text);
    CHECK(!recognize_foreign(text));
  }
}

TEST_CASE("foreign documents: what the language accepts stays accepted") {
  // A first line that the shell reads is a comment here.
  diag::Sink sink;
  CHECK(memonline::sema::analyse({{"t.mempolicy", "#!/bin/sh\nnode1: movable\n"}}, sink));
  CHECK(sink.all().empty());
}
