// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/text/json_writer.hpp"

#include "compiler/text/utf8.hpp"
#include "tests/support/catch.hpp"

using memonline::text::json_quoted;
using memonline::text::JsonWriter;
using memonline::text::Layout;
using memonline::text::utf8_length;
using memonline::text::valid_utf8;

TEST_CASE("json: layout, separators and empty values") {
  JsonWriter json;
  json.begin_object()
      .member("schema", "x/1")
      .member("ok", true)
      .member("count", 18446744073709551615ULL);
  json.member("below", -3).member("none", std::optional<std::uint32_t>{});
  json.member("some", std::optional<std::uint32_t>{7});
  json.key("run").begin_array(Layout::Line).value(79U).value(42U).end_array();
  json.key("nested").begin_array();
  json.begin_object().member("a", 1U).end_object();
  json.begin_object(Layout::Line).member("b", 2U).key("c").begin_array().end_array().end_object();
  json.end_array();
  json.key("empty").begin_object().end_object();
  json.end_object();
  CHECK(std::move(json).finish() == R"({
  "schema": "x/1",
  "ok": true,
  "count": 18446744073709551615,
  "below": -3,
  "none": null,
  "some": 7,
  "run": [79, 42],
  "nested": [
    {
      "a": 1
    },
    {"b": 2, "c": []}
  ],
  "empty": {}
}
)");
}

TEST_CASE("json: strings are escaped, and bytes that are no UTF-8 are replaced") {
  CHECK(json_quoted("a\"b\\c\n\t\x01\x7f/") == "\"a\\\"b\\\\c\\n\\t\\u0001\\u007f/\"");
  CHECK(json_quoted("caf\xc3\xa9 \xf0\x9f\x98\x80") == "\"caf\xc3\xa9 \xf0\x9f\x98\x80\"");
  CHECK(json_quoted("\xff\xc3") == "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
  CHECK(valid_utf8("a\xed\xa0\x80z") == "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz");
}

TEST_CASE("utf8: overlong forms, surrogates and what is beyond Unicode are invalid") {
  CHECK(utf8_length("a", 0) == 1);
  CHECK(utf8_length("\xc3\xa9", 0) == 2);
  CHECK(utf8_length("\xe2\x82\xac", 0) == 3);
  CHECK(utf8_length("\xf4\x8f\xbf\xbf", 0) == 4);
  for (const char* bad :
       {"\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\x80", "\xe2\x82", "\xc3"})
    CHECK(utf8_length(bad, 0) == 0);
}
