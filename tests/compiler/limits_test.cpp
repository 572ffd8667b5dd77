// SPDX-License-Identifier: LGPL-2.1-or-later
// Text of any size and depth is answered, in time and without exhausting the stack. The times are
// many times what is needed, so that a busy machine passes and a quadratic answer does not.
#include <chrono>
#include <string>

#include "compiler/diag/render.hpp"
#include "compiler/sema/analyse.hpp"
#include "compiler/syntax/format.hpp"
#include "compiler/syntax/parse.hpp"
#include "tests/support/catch.hpp"

namespace sema = memonline::sema;
namespace diag = memonline::diag;

namespace {

std::string repeated(std::size_t count, const std::string& text) {
  std::string many;
  many.reserve(count * text.size());
  for (std::size_t i = 0; i < count; ++i) many += text;
  return many;
}

struct Answer {
  bool accepted = false;
  std::vector<diag::Diagnostic> diagnostics;
  double seconds = 0;
  [[nodiscard]] bool has(diag::Code code) const {
    for (const auto& d : diagnostics)
      if (d.code == code) return true;
    return false;
  }
};

Answer answer(const std::string& text) {
  const auto start = std::chrono::steady_clock::now();
  const memonline::source::SourceSet files{{"t.mempolicy", text}};
  diag::Sink sink;
  Answer result;
  result.accepted = sema::analyse(files, sink).has_value();
  result.diagnostics = sink.sorted();
  (void)diag::to_text(result.diagnostics, files);
  (void)memonline::syntax::format(files[0], sink);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

constexpr double kInTime = 10;

}  // namespace

TEST_CASE("limits: nesting") {
  const std::string open = "when arch is s390x {";
  const auto nested = [&](std::size_t levels) {
    return repeated(levels, open) + "all: keep" + repeated(levels, "}");
  };
  CHECK(answer(nested(64)).accepted);
  for (std::size_t levels : {std::size_t{65}, std::size_t{1000}, std::size_t{40'000}}) {
    const Answer a = answer(nested(levels));
    CHECK_FALSE(a.accepted);
    CHECK(a.has(diag::Code::NestingTooDeep));
    CHECK(a.diagnostics.size() == 1);
    CHECK(a.seconds < kInTime);
  }
  for (const char* one : {"{", "}", "(", "else ", "else{", "else when ", "when a is b{}else "}) {
    INFO(one);
    const Answer a =
        answer(repeated(memonline::syntax::kMaxFileSize / std::string(one).size(), one));
    CHECK_FALSE(a.accepted);
    CHECK(a.diagnostics.size() <= memonline::syntax::kMaxErrors + 2);
    CHECK(a.seconds < kInTime);
  }
}

TEST_CASE("limits: size") {
  const std::string line = "node1: last 80% movable, rest normal\n";
  const Answer large = answer(repeated(10'000'000 / line.size(), line));
  CHECK(large.has(diag::Code::FileTooLarge));
  CHECK(large.seconds < kInTime);
  const std::string fits = repeated(memonline::syntax::kMaxFileSize / line.size(), line);
  const Answer full = answer(fits);
  CHECK(full.accepted);
  CHECK(full.diagnostics.size() <= 101);
  CHECK(full.seconds < kInTime);
}

TEST_CASE("limits: one statement that fills the file") {
  for (const auto& [head, part] :
       {std::pair("all: keep", ",keep"), std::pair("node0", ",2"), std::pair("all", " boot"),
        std::pair("all: keep", ",zebra"), std::pair("all", " zebra"), std::pair("node0", ",2-1"),
        std::pair("all: ", "first "), std::pair("all: rest keep", ",rest keep"),
        std::pair("when arch is a", ",b")}) {
    const std::string tail = std::string(head).find(':') == std::string::npos ? ": keep" : "";
    INFO(head << part);
    const std::string text = head + repeated(900'000 / std::string(part).size(), part) +
                             (head[0] == 'w' ? "{all: keep}" : tail);
    const Answer a = answer(text);
    CHECK(a.diagnostics.size() <= memonline::syntax::kMaxErrors + 2);
    CHECK(a.seconds < kInTime);
  }
}

TEST_CASE("limits: after a hundred errors the rest is not looked at") {
  for (const char* wrong : {"x: y;", "node1 =\n", "}", "\"\n", "set a = b;"}) {
    INFO(wrong);
    const Answer a = answer(repeated(1000, wrong));
    CHECK(a.has(diag::Code::TooManyErrors));
    CHECK(a.diagnostics.back().code == diag::Code::TooManyErrors);
    CHECK(a.diagnostics.size() >= memonline::syntax::kMaxErrors);
    CHECK(a.diagnostics.size() <= memonline::syntax::kMaxErrors + 3);
  }
  CHECK_FALSE(answer(repeated(99, "}")).has(diag::Code::TooManyErrors));
}
