// SPDX-License-Identifier: LGPL-2.1-or-later
// Command lines as words, and the texts they stand in.
#include <chrono>
#include <csignal>
#include <fstream>
#include <string>
#include <thread>

#include "runtime/boot/places.hpp"
#include "runtime/boot/tool.hpp"
#include "tests/support/catch.hpp"

using namespace memonline::boot;

TEST_CASE("boot words: cut as the kernel cuts") {
  CHECK(words_of(" a  b=\"c d\"\te\n") == Words{"a", "b=\"c d\"", "e"});
  CHECK(words_of("a -- b") == Words{"a"});
  CHECK(words_of("").empty());
  CHECK(key_of("memory-hotplug.memmap-on-memory=1") == "memory_hotplug.memmap_on_memory");
  CHECK(is_memory_key("memory_hotplug.online_policy"));
  CHECK_FALSE(is_memory_key("mem"));
}

TEST_CASE("boot words: what is put in is taken out byte for byte") {
  const Words more{"kernelcore=4G", "movable_node"};
  for (const char* text : {"", "\n", "a b\n", "a  b ", "a -- b\n", "# note\na b\n# end\n", " a\n",
                           "x=\"a b\" c", "-- init\n"}) {
    INFO(text);
    const std::string with = edited(text, {}, more);
    CHECK(with != text);
    CHECK(edited(with, more, {}) == text);
  }
  CHECK(edited("a -- b\n", {}, {"k=1"}) == "a k=1 -- b\n");
  CHECK(edited("k=1 k=12 k\n", {"k=1"}, {}) == "k=12 k\n");
  CHECK(edited("a\n# end\n", {}, {"k"}) == "a k\n# end\n");
}

TEST_CASE("boot words: what stands in GRUB's and zipl's files") {
  CHECK(drop_in_words(drop_in_text({"a=1", "b"})) == Words{"a=1", "b"});
  CHECK(drop_in_words("GRUB_CMDLINE_LINUX_DEFAULT=\"a\"\n").empty());
  CHECK(grub_words("#GRUB_CMDLINE_LINUX=x\nGRUB_CMDLINE_LINUX=\"a b\"\nGRUB_CMDLINE_LINUX_DEFAULT"
                   "='c d=\"e f\"'\nGRUB_CMDLINE_LINUX_RECOVERY=r\n") ==
        Words{"a", "b", "c", "d=\"e f\""});
  const std::string text = "[a]\nparameters = \"x y\"\n parameters=z w\n#parameters=n\n";
  const auto values = zipl_values(text);
  REQUIRE(values.size() == 2);
  CHECK(text.substr(values[0].begin, values[0].size) == "x y");
  CHECK(text.substr(values[1].begin, values[1].size) == "z w");
}

TEST_CASE("boot words: tools are run as words, and what they say is kept") {
  const Runner run = runner_below("/");
  const ToolResult ran =
      run({"/bin/sh", "-c", "echo \"$1\"; echo bad >&2; exit 3", "sh", "a  b;$c"});
  CHECK(ran.status == 3);
  CHECK(ran.output == "a  b;$c\n");
  CHECK(ran.errors == "bad\n");
  CHECK(run({"/nowhere/tool"}).status == 127);
  CHECK(last_lines("a\n\nb\nc\n", 2) == "b; c");
}

TEST_CASE("boot words: a process that a tool leaves behind is not waited for") {
  const auto began = std::chrono::steady_clock::now();
  const ToolResult ran = runner_below("/")({"/bin/sh", "-c", "sleep 20 & echo $!"});
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(15));
  CHECK(ran.status == 0);
  const pid_t left = std::stoi(ran.output);
  CHECK(::kill(left, 0) == 0);  // it may be a daemon, and is let be
  ::kill(left, SIGKILL);
}

TEST_CASE("boot words: a tool has a deadline, and goes with what it has started") {
  const auto began = std::chrono::steady_clock::now();
  const Runner run = runner_below("/", std::chrono::milliseconds(500));
  const ToolResult ran = run({"/bin/sh", "-c", "sleep 60 & echo $!; wait; wait"});
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(30));
  CHECK(ran.status == 128 + SIGTERM);
  CHECK(ran.errors.find("timed out after 0.5 s") != std::string::npos);
  // Nobody is its parent any more, so it may be seen until it is reaped.
  const auto path = "/proc/" + std::to_string(std::stoi(ran.output)) + "/cmdline";
  for (int i = 0; i < 100; ++i) {
    std::string words;
    std::ifstream(path) >> words;
    if (words.empty()) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  std::string words;
  std::ifstream(path) >> words;
  CHECK(words.empty());
}

TEST_CASE("boot words: a tool that says much is read to its end") {
  const ToolResult ran =
      runner_below("/")({"/bin/sh", "-c", "head -c 300000 /dev/zero | tr '\\0' x"});
  CHECK(ran.status == 0);
  CHECK(ran.output.size() == 300000);
}
