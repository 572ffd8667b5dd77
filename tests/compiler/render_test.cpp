// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/diag/render.hpp"

#include "tests/support/catch.hpp"

namespace diag = memonline::diag;
using diag::Code;
using diag::to_json;
using diag::to_text;
using memonline::source::SourceFile;
using memonline::source::SourceSet;
using memonline::source::SourceSpan;

namespace {

/// A diagnostic about the first `word` of the text.
diag::Diagnostic about(const SourceSet& files, const std::string& word) {
  const auto at = static_cast<std::uint32_t>(files[0].text().find(word));
  const SourceSpan span{0, at, at + static_cast<std::uint32_t>(word.size())};
  return {Code::UnknownTarget,
          diag::Severity::Error,
          "no target named `" + word + "`",
          span,
          {},
          {},
          {},
          {}};
}

}  // namespace

TEST_CASE("render: place, line, mark, help") {
  const SourceSet files{{"dir/db.mempolicy", "\n\nnode1: last 80% movble, rest normal\n"}};
  diag::Diagnostic d = about(files, "movble");
  d.help = "replace `movble` with `movable`";
  CHECK(to_text(d, files) ==
        "dir/db.mempolicy:3:17: error[ML0201]: no target named `movble`\n"
        "    3 | node1: last 80% movble, rest normal\n"
        "      |                 ^~~~~~\n"
        "help: replace `movble` with `movable`\n");
}

TEST_CASE("render: labels, notes and a diagnostic without a place") {
  const SourceSet files{{"a", "all: normal\nnode1: movable"}};
  diag::Diagnostic d = about(files, "node1");
  d.severity = diag::Severity::Warning;
  d.labels.push_back({{0, 0, 3}, "taken here"});
  d.notes.push_back("a fact");
  CHECK(to_text(d, files) ==
        "a:2:1: warning[ML0201]: no target named `node1`\n"
        "    2 | node1: movable\n"
        "      | ^~~~~\n"
        "a:1:1: note: taken here\n"
        "    1 | all: normal\n"
        "      | ~~~\n"
        "note: a fact\n");
  d.span.reset();
  d.labels.clear();
  CHECK(to_text({d, d}, files) ==
        "warning[ML0201]: no target named `node1`\nnote: a fact\n\n"
        "warning[ML0201]: no target named `node1`\nnote: a fact\n");
}

TEST_CASE("render: tabs, wide characters, combining marks and CRLF keep the mark in its column") {
  const SourceSet tabs{{"a", "\tx\tmovble\r\nall: keep"}};
  CHECK(to_text(about(tabs, "movble"), tabs) ==
        "a:1:4: error[ML0201]: no target named `movble`\n"
        "    1 |         x       movble\n"
        "      |                 ^~~~~~\n");
  const SourceSet wide{{"a", "\"\xe6\x97\xa5\xe6\x9c\xac e\xcc\x81\" movble"}};
  CHECK(to_text(about(wide, "movble"), wide) ==
        "a:1:9: error[ML0201]: no target named `movble`\n"
        "    1 | \"\xe6\x97\xa5\xe6\x9c\xac e\xcc\x81\" movble\n"
        "      |          ^~~~~~\n");
}

TEST_CASE("render: bytes that could upset a terminal are replaced") {
  const SourceSet files{{"a", "\x1b[31m\xff\xe2\x80\xae movble"}};
  CHECK(to_text(about(files, "movble"), files) ==
        "a:1:9: error[ML0201]: no target named `movble`\n"
        "    1 | \xEF\xBF\xBD[31m\xEF\xBF\xBD\xEF\xBF\xBD movble\n"
        "      |         ^~~~~~\n");
}

TEST_CASE("render: a long line is cut around the mark") {
  const SourceSet files{{"a", std::string(300, 'a') + " movble " + std::string(300, 'b')}};
  CHECK(to_text(about(files, "movble"), files) ==
        "a:1:302: error[ML0201]: no target named `movble`\n"
        "    1 | ..." +
            std::string(39, 'a') + " movble " + std::string(53, 'b') +
            "...\n"
            "      | " +
            std::string(43, ' ') + "^~~~~~\n");
}

TEST_CASE("render: an empty span at the end of a line is marked by one caret") {
  const SourceSet files{{"a", "node1:\n\n"}};
  diag::Diagnostic d = about(files, "\n");
  d.message = "expected a target";
  d.span->end = d.span->begin;
  CHECK(to_text(d, files) ==
        "a:1:7: error[ML0201]: expected a target\n    1 | node1:\n      |       ^\n");
  d.span->begin = d.span->end = 7;
  CHECK(to_text(d, files) == "a:2:1: error[ML0201]: expected a target\n    2 |\n      | ^\n");
}

TEST_CASE("render: a span over several lines is marked to the end of its first") {
  const SourceSet files{{"a", "when x\n{"}};
  diag::Diagnostic d = about(files, "x\n{");
  d.message = "m";
  CHECK(to_text(d, files) == "a:1:6: error[ML0201]: m\n    1 | when x\n      |      ^\n");
}

TEST_CASE("render: text inside a YAML file is shown at its place there") {
  const SourceSet files{{"p.yaml", "all: movble\n", {}, {{12, 4}, {13, 4}}}};
  CHECK(to_text(about(files, "movble"), files) ==
        "p.yaml:12:10: error[ML0201]: no target named `movble`\n"
        "   12 | all: movble\n"
        "      |      ^~~~~~\n");
}

TEST_CASE("render: a byte order mark takes no column") {
  const SourceSet files{{"a", "\xEF\xBB\xBFmovble"}};
  CHECK(files[0].place(3) == memonline::source::Place{1, 1});
}

TEST_CASE("render: colour only on request") {
  const SourceSet files{{"a", "movble"}};
  CHECK(to_text(about(files, "movble"), files, {true}) ==
        "a:1:1: \x1b[1;31merror[ML0201]:\x1b[0m no target named `movble`\n"
        "    1 | movble\n"
        "      | \x1b[1;31m^~~~~~\x1b[0m\n");
}

TEST_CASE("render: JSON has every field") {
  const SourceSet files{{"d/a", "# \"\nmovble\xff"}};
  diag::Diagnostic d = about(files, "movble");
  d.help = "replace it";
  d.fixit = diag::FixIt{*d.span, "movable"};
  d.labels.push_back({{0, 0, 1}, "here"});
  d.notes.push_back("n\xff");
  diag::Diagnostic bare = d;
  bare.span.reset();
  bare.help.clear();
  bare.fixit.reset();
  bare.labels.clear();
  bare.notes.clear();
  CHECK(to_json({d, bare}, files) == R"({
  "schema": "memonline.diagnostics/1",
  "diagnostics": [
    {
      "code": "ML0201",
      "severity": "error",
      "message": "no target named `movble`",
      "path": "d/a",
      "line": 2,
      "column": 1,
      "begin": 4,
      "end": 10,
      "labels": [
        {
          "message": "here",
          "path": "d/a",
          "line": 1,
          "column": 1,
          "begin": 0,
          "end": 1
        }
      ],
      "notes": [
        "n)"
                                     "\xEF\xBF\xBD"
                                     R"("
      ],
      "help": "replace it",
      "fixit": {"begin": 4, "end": 10, "replacement": "movable"}
    },
    {
      "code": "ML0201",
      "severity": "error",
      "message": "no target named `movble`",
      "path": null,
      "line": null,
      "column": null,
      "begin": null,
      "end": null,
      "labels": [],
      "notes": [],
      "help": null,
      "fixit": null
    }
  ]
}
)");
}
