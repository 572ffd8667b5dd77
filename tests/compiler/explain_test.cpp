// SPDX-License-Identifier: LGPL-2.1-or-later
// What `memonline explain` prints holds: the wrong example is wrong in just that way, and the
// right one is right.
#include <string>

#include "compiler/sema/analyse.hpp"
#include "tests/support/catch.hpp"

namespace diag = memonline::diag;

namespace {

/// The text between two headings.
std::string example(std::string_view paragraph, std::string_view from, std::string_view to) {
  const std::size_t begin = paragraph.find(from);
  if (begin == std::string_view::npos) return {};
  const std::size_t start = begin + from.size();
  return std::string(paragraph.substr(start, paragraph.find(to, start) - start));
}

bool reports(const std::string& text, diag::Code code, bool& errors) {
  diag::Sink sink;
  (void)memonline::sema::analyse({{"t.mempolicy", text}}, sink);
  errors = sink.has_errors();
  for (const diag::Diagnostic& d : sink.all())
    if (d.code == code) return true;
  return false;
}

}  // namespace

TEST_CASE("explain: the examples of families 01 to 04 are what they say") {
  std::size_t examples = 0;
  for (const diag::CodeEntry& entry : diag::all_codes()) {
    if (static_cast<unsigned>(entry.code) >= 500) continue;
    INFO(diag::name_of(entry.code));
    CHECK(entry.paragraph.find("Wrong:") != std::string_view::npos);
    CHECK(entry.paragraph.find("Right:") != std::string_view::npos);
    const std::string wrong = example(entry.paragraph, "\nWrong:\n\n", "\nRight:");
    if (wrong.empty()) continue;
    const std::string right = example(entry.paragraph, "\nRight:\n\n", "\nnever there");
    INFO(wrong << right);
    bool errors = false;
    CHECK(reports(wrong, entry.code, errors));
    CHECK_FALSE(reports(right, entry.code, errors));
    CHECK_FALSE(errors);
    ++examples;
  }
  CHECK(examples >= 35);
}

TEST_CASE("explain: codes are found by name, in any case") {
  CHECK(diag::code_named("ml0201") == diag::Code::UnknownTarget);
  CHECK_FALSE(diag::code_named("ML9999").has_value());
}
