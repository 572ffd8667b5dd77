// SPDX-License-Identifier: LGPL-2.1-or-later
// The words of a command line, read as getopt users expect it.
#include "runtime/base/words.hpp"

#include "tests/support/catch.hpp"

using namespace memonline::options;

namespace {

using Words = std::vector<std::string_view>;
using Texts = std::vector<std::string>;

bool is_number(std::string_view word) {
  return !word.empty() && word.find_first_not_of("0123456789") == std::string_view::npos;
}

const std::vector<Option>& some_options() {
  static const std::vector<Option> kOptions{
      {.letter = 'h', .names = {"help"}},
      {.letter = 'n', .names = {"dry-run"}},
      {.letter = 'w', .names = {"write"}},
      {.letter = 'e',
       .names = {"expression"},
       .value = "TEXT",
       .repeats = true,
       .may_be_empty = true},
      {.names = {"root", "sysroot"}, .value = "DIR"},
      {.names = {"format"}, .value = "FORMAT", .words = {"text", "json"}},
      {.names = {"wait"}, .value = "TIME", .takes = &is_number}};
  return kOptions;
}

Given given(const Words& words) {
  static const Operand kFile{.name = "FILE", .help = "a file", .repeats = true};
  const auto read = read_words(some_options(), &kFile, words);
  INFO((read ? std::string() : read.error().message));
  REQUIRE(read);
  return *read;
}

std::string wrong(const Words& words, const Operand* operand = nullptr) {
  const auto read = read_words(some_options(), operand, words);
  return read ? "" : read.error().message;
}

}  // namespace

TEST_CASE("words: an option takes exactly one value and no operand") {
  const Given read = given({"-n", "-e", "P", "plan.json", "--root=a", "other"});
  CHECK(read.has("dry-run"));
  CHECK(read.values("expression") == Texts{"P"});
  CHECK(read.value("root") == "a");
  CHECK(read.operands() == Texts{"plan.json", "other"});
}

TEST_CASE("words: a value may be joined to its option, and letters to each other") {
  CHECK(given({"-nwea b"}).values("expression") == Texts{"a b"});
  CHECK(given({"-nwe", "x"}).has("write"));
  CHECK(given({"--expression=a=b", "-e", ""}).values("expression") == Texts{"a=b", ""});
  CHECK(given({"--sysroot", "x"}).value("root") == "x");
}

TEST_CASE("words: two dashes end the options, one dash is an operand") {
  CHECK(given({"-", "--", "-n", "--"}).operands() == Texts{"-", "-n", "--"});
}

TEST_CASE("words: an option that can do without a value leaves operands alone") {
  CHECK(given({"--wait", "plan.json"}).operands() == Texts{"plan.json"});
  CHECK(given({"--wait", "60", "x"}).value("wait") == "60");
  CHECK(given({"--wait", "60", "x"}).operands() == Texts{"x"});
  CHECK(given({"--wait=5", "60"}).operands() == Texts{"60"});
  CHECK(given({"--wait"}).has("wait"));
}

TEST_CASE("words: help ends the reading") {
  CHECK(given({"--help", "--nonsense"}).has("help"));
  CHECK(given({"x", "-h"}).has("help"));
}

TEST_CASE("words: errors name what was expected, and the nearest valid word") {
  CHECK(wrong({"--fromat", "json"}) == "unknown option `--fromat`; did you mean `--format`?");
  CHECK(wrong({"--dry"}) == "unknown option `--dry`; did you mean `--dry-run`?");
  CHECK(read_words(some_options(), nullptr, {"--dry=x"}).error().unknown_option == "--dry");
  CHECK(read_words(some_options(), nullptr, {"-nx"}).error().unknown_option == "-x");
  CHECK(read_words(some_options(), nullptr, {"--format", "x"}).error().unknown_option.empty());
  CHECK(wrong({"-format"}) == "unknown option `-format`; did you mean `--format`?");
  CHECK(wrong({"-nx"}) == "unknown option `-x`");
  CHECK(wrong({"--format", "jsno"}) ==
        "invalid value `jsno` for `--format`: expected text or json; did you mean `json`?");
  CHECK(wrong({"--root"}) == "missing value for `--root`: expected DIR");
  CHECK(wrong({"--root", "-n"}) == "missing value for `--root`: expected DIR, found `-n`");
  CHECK(wrong({"--root="}) == "empty value for `--root`: expected DIR");
  CHECK(wrong({"--root", "a", "--sysroot", "b"}) ==
        "`--sysroot` is given twice: expected at most once");
  CHECK(wrong({"--dry-run=x"}) == "unexpected value `x` for `--dry-run`: expected none");
  CHECK(wrong({"x"}) == "unexpected operand `x`: expected only options");
}

TEST_CASE("words: errors never hand control characters on") {
  CHECK(wrong({"--\x1b[31m"}) == "unknown option `--\\x1b[31m`");
  CHECK(wrong({"--format", "a\n\xff"}) ==
        "invalid value `a\\x0a\\xff` for `--format`: expected text or json");
}

TEST_CASE("words: operands are counted and looked up") {
  const Operand one{
      .name = "ACTION", .help = "what to do", .words = {"show", "apply"}, .required = true};
  CHECK(wrong({}, &one) == "missing ACTION: expected show or apply");
  CHECK(wrong({"shwo"}, &one) ==
        "invalid ACTION `shwo`: expected show or apply; did you mean `show`?");
  CHECK(wrong({"show", "apply"}, &one) ==
        "unexpected operand `apply`: expected at most one ACTION");
  CHECK(wrong({""}, &one) == "empty operand: expected ACTION");
}

TEST_CASE("words: what stands before the first operand") {
  CHECK(words_before_operand(some_options(), {"--root", "plan", "plan", "-n"}) == 2);
  CHECK(words_before_operand(some_options(), {"plan"}) == 0);
  CHECK(words_before_operand(some_options(), {"-n"}) == 1);
}
