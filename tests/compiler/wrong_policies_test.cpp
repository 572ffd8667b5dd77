// SPDX-License-Identifier: LGPL-2.1-or-later
// Every case of wrong_policies.txt: the exact text of its diagnostics, and its fix-its applied.
// MEMONLINE_UPDATE_GOLDEN=1 writes the file anew.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>

#include "compiler/diag/render.hpp"
#include "compiler/sema/analyse.hpp"
#include "compiler/sema/resolve.hpp"
#include "tests/support/catch.hpp"

namespace sema = memonline::sema;
namespace diag = memonline::diag;

namespace {

const std::string kTable = std::string(MEMONLINE_TESTS_DIR) + "/compiler/wrong_policies.txt";

struct Case {
  std::string name;
  std::string policy;    ///< as in the table, with its escapes
  std::string expected;  ///< the rendered diagnostics
};

struct Table {
  std::string head;  ///< the comment at the top
  std::vector<Case> cases;
};

Table read_table() {
  Table table;
  std::ifstream file(kTable);
  REQUIRE(file.good());
  bool in_policy = false;
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("=== ", 0) == 0) {
      table.cases.push_back({line.substr(4), "", ""});
      in_policy = true;
    } else if (table.cases.empty()) {
      table.head += line + "\n";
    } else if (line == "---") {
      in_policy = false;
    } else {
      (in_policy ? table.cases.back().policy : table.cases.back().expected) += line + "\n";
    }
  }
  return table;
}

int hex(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

/// "\xNN" is a byte; a line "@repeat N TEXT" is TEXT N times. The last line end is not part of it.
std::string unescape(const std::string& text) {
  std::string result;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("@repeat ", 0) == 0) {
      std::istringstream words(line.substr(8));
      std::size_t count = 0;
      words >> count;
      words.get();
      std::getline(words, line);
      std::string many;
      for (std::size_t i = 0; i < count; ++i) many += line;
      line = std::move(many);
    }
    for (std::size_t at = 0; at < line.size(); ++at) {
      if (line.compare(at, 2, "\\x") == 0) {
        result += static_cast<char>(hex(line[at + 2]) * 16 + hex(line[at + 3]));
        at += 3;
      } else {
        result += line[at];
      }
    }
    result += '\n';
  }
  if (!result.empty()) result.pop_back();
  return result;
}

/// What is found in a policy, and, if nothing is, on a host that tells nothing.
std::vector<diag::Diagnostic> found_in(const std::string& text) {
  diag::Sink sink;
  const auto policy = sema::analyse({{"t.mempolicy", text}}, sink);
  if (policy && sink.all().empty()) (void)sema::resolve(*policy, memonline::model::Host{}, sink);
  return sink.sorted();
}

std::string shown(const std::vector<diag::Diagnostic>& diagnostics, const std::string& text) {
  return diag::to_text(diagnostics, {{"t.mempolicy", text}});
}

std::size_t errors_in(const std::vector<diag::Diagnostic>& diagnostics) {
  std::size_t errors = 0;
  for (const auto& d : diagnostics) errors += d.severity == diag::Severity::Error ? 1U : 0U;
  return errors;
}

std::size_t said(diag::Code code, const std::vector<diag::Diagnostic>& diagnostics) {
  return static_cast<std::size_t>(std::count_if(diagnostics.begin(), diagnostics.end(),
                                                [&](const auto& d) { return d.code == code; }));
}

}  // namespace

TEST_CASE("wrong policies: each is told in exactly these words") {
  Table table = read_table();
  if (std::getenv("MEMONLINE_UPDATE_GOLDEN") != nullptr) {
    std::ofstream file(kTable);
    file << table.head;
    for (const Case& c : table.cases)
      file << "=== " << c.name << "\n"
           << c.policy << "---\n"
           << shown(found_in(unescape(c.policy)), unescape(c.policy)) << "\n";
    return;
  }
  CHECK(table.cases.size() >= 80);
  for (const Case& c : table.cases) {
    INFO(c.name);
    const std::string text = unescape(c.policy);
    const auto diagnostics = found_in(text);
    CHECK(!diagnostics.empty());
    CHECK(shown(diagnostics, text) + "\n" == c.expected);
  }
}

TEST_CASE("wrong policies: every fix-it mends what it stands by") {
  std::size_t applied = 0;
  for (const Case& c : read_table().cases) {
    const std::string text = unescape(c.policy);
    const auto before = found_in(text);
    for (const diag::Diagnostic& d : before) {
      if (!d.fixit) continue;
      ++applied;
      INFO(c.name << ": " << d.message);
      CHECK(!d.help.empty());
      std::string mended = text;
      mended.replace(d.fixit->span.begin, d.fixit->span.end - d.fixit->span.begin,
                     d.fixit->replacement);
      INFO(mended);
      const auto after = found_in(mended);
      INFO(shown(after, mended));
      if (d.severity == diag::Severity::Error)
        CHECK(errors_in(after) < errors_in(before));
      else
        CHECK(said(d.code, after) < said(d.code, before));
    }
  }
  CHECK(applied >= 40);
}

TEST_CASE("wrong policies: the table reaches every code of families 01 to 04") {
  std::set<diag::Code> reached;
  for (const Case& c : read_table().cases)
    for (const diag::Diagnostic& d : found_in(unescape(c.policy))) reached.insert(d.code);
  for (const diag::CodeEntry& entry : diag::all_codes()) {
    // limits_test.cpp: a hundred errors are too many for a table.
    if (static_cast<unsigned>(entry.code) >= 500 || entry.code == diag::Code::TooManyErrors)
      continue;
    INFO(diag::name_of(entry.code));
    CHECK(reached.count(entry.code) == 1);
  }
}
