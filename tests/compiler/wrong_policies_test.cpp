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

/// The same without a host: a policy that a fix-it repaired may ask for facts that this host lacks.
std::vector<diag::Diagnostic> found_without_host(const std::string& text) {
  diag::Sink sink;
  (void)sema::analyse({{"t.mempolicy", text}}, sink);
  return sink.sorted();
}

std::string with_fix(const std::string& text, const diag::FixIt& fix) {
  std::string fixed = text;
  return fixed.replace(fix.span.begin, fix.span.end - fix.span.begin, fix.replacement);
}

std::size_t count_of(const diag::Diagnostic& one, const std::vector<diag::Diagnostic>& among) {
  return static_cast<std::size_t>(std::count_if(among.begin(), among.end(), [&](const auto& d) {
    return d.code == one.code && d.message == one.message;
  }));
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
  CHECK(table.cases.size() >= 300);
  for (const Case& c : table.cases) {
    INFO(c.name);
    const std::string text = unescape(c.policy);
    const auto diagnostics = found_in(text);
    CHECK(!diagnostics.empty());
    CHECK(shown(diagnostics, text) + "\n" == c.expected);
  }
}

TEST_CASE("wrong policies: a fix-it removes its problem and adds none") {
  std::size_t applied = 0;
  for (const Case& c : read_table().cases) {
    const std::string text = unescape(c.policy);
    const auto before = found_in(text);
    for (const diag::Diagnostic& d : before) {
      if (!d.fixit) continue;
      ++applied;
      INFO(c.name << ": " << d.message);
      CHECK(!d.help.empty());
      const std::string fixed = with_fix(text, *d.fixit);
      const auto after = found_without_host(fixed);
      INFO(fixed << "\n" << shown(after, fixed));
      CHECK(count_of(d, after) < count_of(d, before));
      // An error hides the checks that need the whole policy; what those say then is not new.
      const bool only_one = before.size() == 1;
      if (only_one) CHECK(after.empty());
      for (const diag::Diagnostic& other : after)
        if (other.severity == diag::Severity::Error)
          CHECK(count_of(other, after) <= count_of(other, before));
    }
  }
  CHECK(applied >= 100);
}

TEST_CASE("wrong policies: where every error has a fix-it, all of them make the policy right") {
  std::size_t repaired = 0;
  for (const Case& c : read_table().cases) {
    std::string text = unescape(c.policy);
    auto found = found_without_host(text);
    const auto fixable = [](const auto& d) {
      return d.fixit || d.severity != diag::Severity::Error;
    };
    if (found.empty() || !std::all_of(found.begin(), found.end(), fixable)) continue;
    INFO(c.name << ": " << text);
    // One after the other, as an editor does: a fix-it is good for the text it was given for.
    for (std::size_t left = found.size(); left > 0; --left) {
      const auto next =
          std::find_if(found.begin(), found.end(), [](const auto& d) { return d.fixit; });
      if (next == found.end()) break;
      text = with_fix(text, *next->fixit);
      found = found_without_host(text);
    }
    INFO(text << "\n" << shown(found, text));
    CHECK(std::none_of(found.begin(), found.end(), [](const auto& d) {
      return d.fixit || d.severity == diag::Severity::Error;
    }));
    ++repaired;
  }
  CHECK(repaired >= 100);
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
