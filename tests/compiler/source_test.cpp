// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/source/source.hpp"

#include "compiler/diag/diagnostic.hpp"
#include "compiler/diag/render.hpp"
#include "tests/support/catch.hpp"

using memonline::source::Place;
using memonline::source::SourceFile;

TEST_CASE("source: places count lines and code points from 1") {
  const SourceFile file("dir/a.mempolicy", "# caf\xc3\xa9 x\r\nnode1: movable\n");
  CHECK(file.label() == "a.mempolicy");
  CHECK(file.place(0) == Place{1, 1});
  CHECK(file.place(file.text().find('x')) == Place{1, 8});
  CHECK(file.place(file.text().find("node1")) == Place{2, 1});
  CHECK(file.place(10'000) == Place{3, 1});
  CHECK(file.line_at(3) == "# caf\xc3\xa9 x");
}

TEST_CASE("source: embedded text points into the file that embeds it") {
  const SourceFile file("p.yaml", "a\nb\n", {}, {{7, 4}, {8, 4}, {9, 4}});
  CHECK(file.place(0) == Place{7, 5});
  CHECK(file.place(2) == Place{8, 5});
}

TEST_CASE("source: a withheld file keeps its places and shows no text") {
  SourceFile file("/etc/a.mempolicy", "boot: keep\nnode1: movabel\n");
  const memonline::source::SourceSpan span{0, 18, 25};
  CHECK(file.text_of(span) == "movabel");
  file.withhold();
  CHECK(file.text_of(span) == "…");
  CHECK(file.place(span.begin) == Place{2, 8});
  memonline::diag::Sink sink;
  sink.add(memonline::diag::Code::UnknownTarget, span, "a message");
  const std::string shown = memonline::diag::to_text(sink.sorted(), {file});
  CHECK(shown.find("/etc/a.mempolicy:2:8:") != std::string::npos);
  CHECK(shown.find("node1") == std::string::npos);
}
