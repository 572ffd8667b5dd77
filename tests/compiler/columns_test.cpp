// SPDX-License-Identifier: LGPL-2.1-or-later
// Columns of texts: by their width on a terminal, and without blanks at the end of a line.
#include "compiler/text/columns.hpp"

#include "tests/support/catch.hpp"

using memonline::text::Align;
using memonline::text::in_columns;

TEST_CASE("columns: as wide as the widest text on a terminal") {
  using Lines = std::vector<std::string>;
  CHECK(in_columns({{}, {}}, {{"a", "x"}, {"ä…", "y"}}) == Lines{"  a   x", "  ä…  y"});
  CHECK(in_columns({{Align::Right, 0, 3}, {Align::Left, 1}}, {{"7", "x"}, {"10", ""}}) ==
        Lines{"  7 x", " 10"});
  CHECK(in_columns({{}}, {}).empty());
}

TEST_CASE("columns: a long text in the last one pads no other line") {
  const auto lines = in_columns({{}, {}}, {{"a", std::string(100'000, 'x')}, {"b", ""}});
  CHECK(lines.back() == "  b");
  CHECK(lines.back().capacity() < 1000);
}
