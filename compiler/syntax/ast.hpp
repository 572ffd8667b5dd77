// SPDX-License-Identifier: LGPL-2.1-or-later
// The syntax tree: the statements as written, with their positions; names are not resolved yet. The
// texts are views into the parsed SourceFile, which must outlive the tree. A Word without text is a
// part that was omitted.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "compiler/source/source.hpp"

namespace memonline::ast {

struct Word {
  std::string_view text;
  source::SourceSpan span;
  explicit operator bool() const { return !text.empty(); }
};

/// "0-3", "8": `last` is empty for a single number.
struct Range {
  Word first;
  Word last;
};

/// "node0-3,8", "dax0.0", "driver kmem", "boot".
struct Class {
  Word name;
  Word argument;  ///< of `dax` and `driver`: "0.0", "dax0.0", "kmem", "\"a name\""
  std::vector<Range> ranges;
};

struct Selector {
  Word each;
  std::vector<Class> classes;
  Word except;
  std::vector<Class> exceptions;
};

/// "80%", "1.5GiB", "64 blocks", "3x": a number and what it counts.
struct Amount {
  Word number;
  Word unit;
};

struct Share {
  std::vector<Word> places;  ///< "first", "last", "rest": one at most, in a right policy
  Amount amount;
  Word target;
};

struct Rule {
  Selector selector;
  std::vector<Share> shares;
};

struct Per {
  Word keyword;
  Word what;
};
struct Limit {
  Word keyword;
  Word what;
  Word to;
  Amount amount;
  Word of;  ///< the "normal" of "3x normal"
  Per per;
};

struct Setting {
  Word keyword;
  Word name;
  Word value;
};

struct Condition {
  Word keyword;
  Word fact;
  Word test;                              ///< "is", "is not", "<", ...
  std::vector<std::vector<Word>> values;  ///< a value is one word, in quotes or not
};

struct When;
using Statement = std::variant<Rule, Limit, Setting, When>;
struct Branch {
  Word else_keyword;    ///< empty for the first
  Condition condition;  ///< its keyword is empty for a plain `else`
  Word open;
  std::vector<Statement> statements;
  Word close;
};
/// when .. {..} else when .. {..} else {..}: the branches in order; nests no deeper than the text.
struct When {
  std::vector<Branch> branches;
};

struct File {
  std::vector<Statement> statements;
};

source::SourceSpan span_of(const Class& node);
source::SourceSpan span_of(const std::vector<Class>& nodes);
source::SourceSpan span_of(const Selector& node);
source::SourceSpan span_of(const Amount& node);
source::SourceSpan span_of(const Share& node);
source::SourceSpan span_of(const Rule& node);
source::SourceSpan span_of(const Limit& node);
source::SourceSpan span_of(const Setting& node);
source::SourceSpan span_of(const Condition& node);
source::SourceSpan span_of(const std::vector<Word>& words);

/// From the start of one to the end of the other, of the same file.
inline source::SourceSpan join(const source::SourceSpan& from, const source::SourceSpan& to) {
  return {from.file, from.begin, to.end};
}

}  // namespace memonline::ast
