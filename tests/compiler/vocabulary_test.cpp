// SPDX-License-Identifier: LGPL-2.1-or-later
// The words that the readers of mistakes know are those of the language: what sema offers where a
// word is unknown is held against them.
#include "compiler/syntax/vocabulary.hpp"

#include <string>
#include <vector>

#include "compiler/language/conditions.hpp"
#include "compiler/language/selectors.hpp"
#include "compiler/language/settings.hpp"
#include "compiler/language/targets.hpp"
#include "compiler/sema/analyse.hpp"
#include "compiler/syntax/kernel_words.hpp"
#include "tests/support/catch.hpp"

namespace diag = memonline::diag;
namespace syntax = memonline::syntax;

namespace {

/// The words in backticks of the first remedy.
std::vector<std::string> offered(const std::string& policy) {
  diag::Sink sink;
  (void)memonline::sema::analyse({{"t.mempolicy", policy}}, sink);
  REQUIRE(sink.all().size() == 1);
  const std::string help = sink.all().front().help;
  std::vector<std::string> words;
  for (std::size_t at = help.find('`'); at != std::string::npos; at = help.find('`', at + 1)) {
    const std::size_t end = help.find('`', at + 1);
    words.push_back(help.substr(at + 1, end - at - 1));
    at = end;
  }
  REQUIRE(words.size() > 3);
  return words;
}

}  // namespace

TEST_CASE("vocabulary: every class of memory is known") {
  for (const std::string& word : offered("zebra: movable")) {
    INFO(word);
    if (word == "each" || word == "except") continue;
    CHECK(syntax::is_class_word(word));
    CHECK(syntax::resembles_class(word));
    CHECK(!syntax::is_kernel_word(word));
  }
}

TEST_CASE("vocabulary: every setting is known") {
  for (const std::string& word : offered("set zebracorn = x")) {
    INFO(word);
    CHECK(syntax::is_setting_word(word));
    CHECK(!syntax::is_kernel_word(word));
  }
}

TEST_CASE("vocabulary: the explanation of a code names every word") {
  namespace language = memonline::language;
  const auto names = [](diag::Code code, const auto& words) {
    for (const std::string_view word : memonline::names_of(words)) {
      INFO(word);
      const std::string_view paragraph = diag::entry_of(code).paragraph;
      CHECK(paragraph.substr(0, paragraph.find("Wrong:")).find(word) != std::string_view::npos);
    }
  };
  names(diag::Code::UnknownTarget, language::kTargets);
  names(diag::Code::UnknownClass, language::kClasses);
  names(diag::Code::UnknownSetting, language::kSettingWords);
  language::for_each_setting(
      [&](const auto& row) { names(diag::Code::UnknownSettingValue, row.values); });
  names(diag::Code::UnknownFact, language::kFacts);
}

TEST_CASE("vocabulary: every unit is known") {
  for (const std::string& word : offered("all: 4 parsec movable")) {
    INFO(word);
    if (word != "%") CHECK(syntax::unit_of(word) == word);
  }
}

TEST_CASE("vocabulary: the statement for a kernel parameter is one that the language accepts") {
  using syntax::KernelWord;
  for (const KernelWord word :
       {KernelWord::Kernelcore, KernelWord::Movablecore, KernelWord::MovableNode,
        KernelWord::DefaultState, KernelWord::OnlinePolicy, KernelWord::MovableRatio,
        KernelWord::NumaAware, KernelWord::MemmapOnMemory})
    for (const char* value :
         {"", "50%", "4G", "4096m", "0", "0%", "100%", "1000%", "mirror", "online", "offline",
          "online_kernel", "ONLINE_MOVABLE", "301", "1", "Y", "force", "n", "99999999999"}) {
      const std::string statement = syntax::statement_for(word, value);
      INFO(value << " gives " << statement);
      diag::Sink sink;
      CHECK(memonline::sema::analyse({{"t.mempolicy", statement}}, sink));
      CHECK(sink.all().empty());
    }
}
