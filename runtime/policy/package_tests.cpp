// SPDX-License-Identifier: LGPL-2.1-or-later
// The `tests:` of a package: a host and what the policy must make of it.
#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "compiler/plan/plan.hpp"
#include "runtime/policy/package_fields.hpp"

namespace memonline::policy {

namespace {

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// "1342177280", "1280MiB", "2 GiB"; the letters alone mean the same.
std::optional<std::uint64_t> bytes_of(std::string_view text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  auto number = number_of(text.substr(0, digits));
  if (!number) return std::nullopt;
  std::string_view unit = text.substr(digits);
  while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  if (unit.empty()) return number;
  constexpr std::string_view kLetters = "KMGT";
  const std::size_t power = kLetters.find(unit.front());
  if (power == std::string_view::npos || (unit.size() > 1 && unit.substr(1) != "iB"))
    return std::nullopt;
  const unsigned shift = 10U * (static_cast<unsigned>(power) + 1U);
  if (*number > (UINT64_MAX >> shift)) return std::nullopt;
  return *number << shift;
}

void read_amount(Fields& fields, const YamlValue& map, std::string_view key,
                 std::optional<std::uint64_t>& into) {
  const YamlValue* value = map.find(key);
  if (value == nullptr) return;
  if (value->is_scalar()) into = bytes_of(value->text);
  if (into) return;
  auto& d = fields.add(diag::Code::PackageBadExpectation, *value,
                       fmt::format("`{}` must be an amount of memory", key));
  d.help = "write bytes or a size, as in `1342177280` or `1280MiB`";
}

void read_outcome(Fields& fields, const YamlValue& value, Expectation& expect) {
  if (!fields.expect_map(value, "`outcome`")) return;
  for (const auto& [key, amounts] : value.entries) {
    const auto id = key.is_scalar() ? number_of(key.text) : std::nullopt;
    if (!id || *id > UINT32_MAX) {
      auto& d = fields.add(diag::Code::PackageBadExpectation, key,
                           "the keys of `outcome` must be node numbers");
      d.help = "write `1: {Movable: 4GiB}` for node 1";
      continue;
    }
    if (!fields.expect_map(amounts, fmt::format("the outcome of node {}", *id))) continue;
    fields.check_keys(amounts, {"Normal", "Movable", "offline"});
    ExpectedNode& node = expect.outcome[static_cast<std::uint32_t>(*id)];
    read_amount(fields, amounts, "Normal", node.normal);
    read_amount(fields, amounts, "Movable", node.movable);
    read_amount(fields, amounts, "offline", node.offline);
  }
}

std::optional<std::vector<std::string>> read_words(Fields& fields, const YamlValue& value,
                                                   std::string_view key) {
  if (!fields.expect_list(value, key)) return std::nullopt;
  std::vector<std::string> words;
  for (const YamlValue& item : value.items)
    if (auto word = fields.text(item, key)) words.push_back(std::move(*word));
  return words;
}

Expectation read_expectation(Fields& fields, const YamlValue& value) {
  Expectation expect;
  if (!fields.expect_map(value, "`expect`")) return expect;
  fields.check_keys(value, {"outcome", "steps", "hotplug", "diagnostics"});
  if (value.entries.empty())
    fields.add(diag::Code::PackageBadExpectation, value,
               "`expect` is empty: the test checks nothing");
  if (const YamlValue* outcome = value.find("outcome")) read_outcome(fields, *outcome, expect);
  if (const YamlValue* steps = value.find("steps"))
    expect.steps = read_words(fields, *steps, "steps");
  if (const YamlValue* hotplug = value.find("hotplug")) {
    expect.hotplug = fields.text(*hotplug, "hotplug");
    if (expect.hotplug && !plan::onliner_named(*expect.hotplug))
      fields.add(diag::Code::PackageBadExpectation, *hotplug,
                 "`hotplug` must be `kernel`, `service` or `corrected`");
  }
  if (const YamlValue* codes = value.find("diagnostics")) {
    expect.diagnostics = read_words(fields, *codes, "diagnostics");
    for (const YamlValue& item : codes->items)
      if (item.is_scalar() && !diag::code_named(item.text))
        fields.add(diag::Code::PackageBadExpectation, item,
                   fmt::format("unknown diagnostic code `{}`", item.text));
  }
  return expect;
}

}  // namespace

std::vector<PackageTest> read_tests(Fields& fields, const YamlValue& tests) {
  std::vector<PackageTest> result;
  if (!fields.expect_list(tests, "tests")) return result;
  for (const YamlValue& value : tests.items) {
    if (!fields.expect_map(value, "a test")) continue;
    fields.check_keys(value, {"name", "host", "expect"});
    PackageTest test;
    test.line = fields.file().place(value.begin).line;
    if (const YamlValue* name = fields.required(value, "name"))
      test.name = fields.text(*name, "name").value_or("");
    if (const YamlValue* host = fields.required(value, "host")) {
      if (host->is_map())
        test.host_snapshot = to_flow_yaml(*host);
      else
        test.host_path = fields.text(*host, "host").value_or("");
    }
    if (const YamlValue* expect = fields.required(value, "expect"))
      test.expect = read_expectation(fields, *expect);
    result.push_back(std::move(test));
  }
  return result;
}

}  // namespace memonline::policy
