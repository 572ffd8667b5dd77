// SPDX-License-Identifier: LGPL-2.1-or-later
// The only file that includes Boost.Spirit X3: it is slow to compile and its errors are long, so
// its rules, adaptations and handlers are internal, and it exports one function. Character classes
// are ASCII, independent of the locale. The grammar accepts any word: names, units and numbers are
// checked later (compiler/sema), where better messages are possible.
#include "compiler/syntax/grammar.hpp"

#include <boost/fusion/include/adapt_struct.hpp>
#include <boost/spirit/home/x3.hpp>

#include "compiler/language/selectors.hpp"
#include "compiler/syntax/target_words.hpp"
#include "compiler/syntax/vocabulary.hpp"

BOOST_FUSION_ADAPT_STRUCT(memonline::ast::Range, first, last)
BOOST_FUSION_ADAPT_STRUCT(memonline::ast::Class, name, argument, ranges)
BOOST_FUSION_ADAPT_STRUCT(memonline::ast::Selector, each, classes, except, exceptions)
BOOST_FUSION_ADAPT_STRUCT(memonline::ast::Amount, number, unit)
BOOST_FUSION_ADAPT_STRUCT(memonline::ast::Share, places, amount, target)
BOOST_FUSION_ADAPT_STRUCT(memonline::ast::Rule, selector, shares)
BOOST_FUSION_ADAPT_STRUCT(memonline::ast::Per, keyword, what)
BOOST_FUSION_ADAPT_STRUCT(memonline::ast::Limit, keyword, what, to, amount, of, per)
BOOST_FUSION_ADAPT_STRUCT(memonline::ast::Setting, keyword, name, value)
BOOST_FUSION_ADAPT_STRUCT(memonline::ast::Condition, keyword, fact, test, values)

namespace memonline::syntax {

namespace {

namespace x3 = boost::spirit::x3;
using x3::lexeme;
using x3::ascii::alnum;
using x3::ascii::alpha;
using x3::ascii::char_;
using x3::ascii::digit;

/// Where the text starts and which file it is: what turns a pointer into a span.
struct Origin {
  const char* base;
  std::uint32_t file;
};
struct OriginTag;

/// token[p]: what `p` matched, as a Word.
template <class Subject>
struct Token : x3::unary_parser<Subject, Token<Subject>> {
  using base_type = x3::unary_parser<Subject, Token<Subject>>;
  using attribute_type = ast::Word;
  // NOLINTBEGIN(readability-identifier-naming): X3's names
  static constexpr bool has_attribute = true;
  static constexpr bool handles_container = false;
  // NOLINTEND(readability-identifier-naming)
  constexpr explicit Token(const Subject& of) : base_type(of) {}

  template <class Iterator, class Context, class RuleContext, class Attribute>
  bool parse(Iterator& first, const Iterator& last, const Context& context, RuleContext& rule,
             Attribute& attribute) const {
    x3::skip_over(first, last, context);
    Iterator at = first;
    if (!this->subject.parse(at, last, context, rule, x3::unused)) return false;
    const Origin& origin = x3::get<OriginTag>(context);
    const auto begin = static_cast<std::uint32_t>(first - origin.base);
    const auto end = static_cast<std::uint32_t>(at - origin.base);
    ast::Word word{{first, static_cast<std::size_t>(at - first)}, {origin.file, begin, end}};
    x3::traits::move_to(word, attribute);
    first = at;
    return true;
  }
};
struct TokenMaker {
  template <class Subject>
  constexpr auto operator[](const Subject& subject) const {
    return Token<typename x3::extension::as_parser<Subject>::value_type>(x3::as_parser(subject));
  }
};
const TokenMaker token{};

/// One whole word that is `known`, in any case: upper case is reported later, with a fix-it.
template <class Known>
struct OneWord : x3::parser<OneWord<Known>> {
  using attribute_type = x3::unused_type;
  // NOLINTNEXTLINE(readability-identifier-naming): X3's name
  [[maybe_unused]] static constexpr bool has_attribute = false;
  Known known;
  explicit OneWord(Known one) : known(one) {}

  template <class Iterator, class Context, class RuleContext, class Attribute>
  bool parse(Iterator& first, const Iterator& last, const Context& context, RuleContext&,
             Attribute&) const {
    Iterator begin = first;  // stays before the blanks if there is no such word
    x3::skip_over(begin, last, context);
    Iterator at = begin;
    while (at != last && is_word_byte(*at)) ++at;
    if (!known(std::string_view(begin, static_cast<std::size_t>(at - begin)))) return false;
    first = at;
    return true;
  }
};
auto bare_keyword(std::string_view name) {
  return OneWord([name](std::string_view word) { return same_word(word, name); });
}
auto keyword(std::string_view name) { return token[bare_keyword(name)]; }

bool takes_name(std::string_view word) {
  const language::ClassRow* row = class_row(word);
  return row != nullptr && row->takes == language::Takes::DriverName;
}

// A rule that may be expected (`>`) has its name in messages; due_named() finds it by that name.
const x3::rule<struct WordId, ast::Word> word{"a word"};
const x3::rule<struct NumberId, ast::Word> number{due_text(Due::Number)};
const x3::rule<struct BoundId, ast::Word> bound{due_text(Due::Number)};
const x3::rule<struct RangeId, ast::Range> range{due_text(Due::Range)};
const x3::rule<struct ListId, std::vector<ast::Range>> list{"a list of numbers"};
const x3::rule<struct NameId, ast::Word> name{"a name"};
const x3::rule<struct ClosingId> closing_quote{due_text(Due::ClosingQuote)};
const x3::rule<struct QuotedId, ast::Word> quoted{"a text in quotes"};
// NOLINTNEXTLINE(readability-identifier-naming): `class` is taken
const x3::rule<struct ClassId, ast::Class> class_{due_text(Due::Class)};
const x3::rule<struct ClassesId, std::vector<ast::Class>> classes{due_text(Due::Class)};
const x3::rule<struct SelectorId, ast::Selector> selector{due_text(Due::Class)};
const x3::rule<struct AmountId, ast::Amount> amount{due_text(Due::Amount)};
const x3::rule<struct UnitId, ast::Word> unit{"a unit"};
const x3::rule<struct PlaceId, ast::Word> place{"a place"};
const x3::rule<struct ShareId, ast::Share> share{due_text(Due::Share)};
const x3::rule<struct SharesId, std::vector<ast::Share>> shares{due_text(Due::Share)};
const x3::rule<struct ColonId> colon{due_text(Due::Colon)};
const x3::rule<struct RuleId, ast::Rule> rule{"a rule"};
const x3::rule<struct ToId, ast::Word> to{due_text(Due::To)};
const x3::rule<struct MovableId, ast::Word> limited{due_text(Due::Movable)};
const x3::rule<struct OfId, ast::Word> of{"`normal`"};
const x3::rule<struct PerWhatId, ast::Word> per_what{due_text(Due::Node)};
const x3::rule<struct PerId, ast::Per> per{"`per`"};
const x3::rule<struct LimitId, ast::Limit> limit{"a limit"};
const x3::rule<struct EqualsId> equals{due_text(Due::Equals)};
const x3::rule<struct SettingNameId, ast::Word> setting_name{due_text(Due::SettingName)};
const x3::rule<struct SettingValueId, ast::Word> setting_value{due_text(Due::Value)};
const x3::rule<struct SettingId, ast::Setting> setting{"a setting"};
const x3::rule<struct FactId, ast::Word> fact{due_text(Due::Fact)};
const x3::rule<struct TestId, ast::Word> test{due_text(Due::Test)};
const x3::rule<struct ValueId, std::vector<ast::Word>> value{due_text(Due::Value)};
const x3::rule<struct ValuesId, std::vector<std::vector<ast::Word>>> values{due_text(Due::Value)};
const x3::rule<struct ConditionId, ast::Condition> condition{"a condition"};

// clang-format off
const auto a_target = token[OneWord(is_target_word)];
const auto word_byte = alnum | char_('_') | char_('-');
const auto no_word = x3::attr(ast::Word{});
const auto no_ranges = x3::attr(std::vector<ast::Range>{});

const auto word_def   = token[lexeme[alpha >> *word_byte]];
const auto number_def = token[lexeme[+(digit | char_('.'))]];
const auto bound_def  = token[lexeme[digit >> *alnum]];
const auto range_def  = bound >> -('-' > bound);
const auto list_def   = range >> *(',' > range);
const auto name_def   = token[lexeme[+(word_byte | char_('.'))]];
const auto closing_quote_def = x3::lit('"');
const auto quoted_def = token[lexeme[('"' >> *(x3::char_ - '"' - '\n' - '\r')) > closing_quote]];

// `node0-3` is `node` and a list: a class consists of a to z, with `-` in between.
const auto letters    = token[lexeme[alpha >> *(alpha | char_('_') | (char_('-') >> &alpha))]];
const auto dax_number = token[lexeme[digit >> *(alnum | char_('.'))]];
const auto dax_letters = char_("dD") >> char_("aA") >> char_("xX");
const auto dax_name   = token[lexeme[dax_letters >> digit >> *(alnum | char_('.'))]];
const auto class__def = !bare_keyword("except") >>
  ( token[OneWord(takes_name)] >> -((name - bare_keyword("except")) | quoted) >> no_ranges
  | token[lexeme[dax_letters >> !(alpha | char_('_') | char_('-'))]]
                      >> -(dax_number | dax_name)               >> no_ranges
  | letters           >> no_word                                >> -list );
const auto classes_def  = +class_;
const auto selector_def = -keyword("each") > classes > -keyword("except") > -classes;

const auto unit_def   = token['%'] | (word - a_target);
const auto amount_def = number >> -unit;
const auto place_def  = token[OneWord(is_place_word)];
const auto share_def  = *place >> -amount >> -word;
const auto shares_def = share % ',';
const auto colon_def  = x3::lit(':');
const auto rule_def   = selector > colon > shares;

const auto limited_def = word;
const auto to_def      = keyword("to");
const auto of_def      = word - keyword("per");
const auto per_what_def = word;
const auto per_def     = keyword("per") > per_what;
const auto limit_def   = keyword("limit") > limited > to > amount > -of > -per;

const auto equals_def        = x3::lit('=');
const auto setting_name_def  = word;
const auto setting_value_def = word;
const auto setting_def       = keyword("set") > setting_name > equals > setting_value;

const auto fact_def      = word;
const auto test_def      = token[lexeme[+char_("<>=!")]] | token[bare_keyword("is") >> -bare_keyword("not")];
const auto value_word    = quoted | token[lexeme[+(x3::ascii::graph - char_(",{};#\""))]];
const auto value_def     = +value_word;
const auto values_def    = value >> *(',' > value);
const auto condition_def = keyword("when") > fact > test > values;

const auto comment = '#' >> *(x3::char_ - '\n');
const auto skipper = x3::ascii::blank | ('\r' >> &(x3::lit('\n') | x3::eoi)) | comment;

BOOST_SPIRIT_DEFINE(word, number, bound, range, list, name, closing_quote, quoted, class_, classes,
                    selector, amount, unit, place, share, shares, colon, rule, to, limited, of,
                    per_what, per, limit, equals, setting_name, setting_value, setting, fact, test,
                    value, values, condition)
// clang-format on

/// X3 reports the expected rule by its name.
Due due_named(std::string_view text) {
  for (auto due = Due::Statement; due != Due::EndOfStatement;
       due = static_cast<Due>(static_cast<unsigned>(due) + 1))
    if (due_text(due) == text) return due;
  return Due::Statement;
}

template <class Node, class Grammar>
ItemResult parse_as(const Grammar& grammar, std::string_view text, std::size_t at,
                    std::uint32_t file) {
  const char* first = text.data() + at;
  const char* const last = text.data() + text.size();
  const Origin origin{text.data(), file};
  ItemResult result;
  const auto offset = [&](const char* p) { return static_cast<std::size_t>(p - text.data()); };
  Node node;
  try {
    if (x3::phrase_parse(first, last, x3::with<OriginTag>(origin)[grammar], skipper, node,
                         x3::skip_flag::dont_post_skip))
      result.item = std::move(node);
    else
      result.stuck = Stuck{at, Due::Statement};
  } catch (const x3::expectation_failure<const char*>& failure) {
    result.stuck = Stuck{offset(failure.where()), due_named(failure.which())};
  }
  result.end = offset(first);
  return result;
}

std::string_view first_word(std::string_view text, std::size_t at) {
  while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
  std::size_t end = at;
  while (end < text.size() && is_word_byte(text[end])) ++end;
  return text.substr(at, end - at);
}

}  // namespace

const char* due_text(Due due) {
  switch (due) {
    case Due::Statement: return "a rule, `limit`, `set` or `when`";
    case Due::Class: return "a class of memory";
    case Due::Number: return "a number";
    case Due::Range: return "a number or a range";
    case Due::Colon: return "`:`";
    case Due::Share: return "a share";
    case Due::Target: return "a target";
    case Due::Movable: return "`movable`";
    case Due::To: return "`to`";
    case Due::Amount: return "an amount";
    case Due::Node: return "`node`";
    case Due::SettingName: return "the name of a setting";
    case Due::Equals: return "`=`";
    case Due::Value: return "a value";
    case Due::Fact: return "a fact";
    case Due::Test: return "`is`, `is not`, `<`, `<=`, `>` or `>=`";
    case Due::ClosingQuote: return "a closing `\"`";
    case Due::OpenBrace: return "`{`";
    case Due::OpenBraceOrWhen: return "`{` or `when`";
    case Due::EndOfStatement: return "the end of the statement";
  }
  return "";
}

bool is_word_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

bool same_word(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != lower[i]) return false;
  }
  return true;
}

ItemResult parse_item(std::string_view text, std::size_t at, std::uint32_t file) {
  const std::string_view start = first_word(text, at);
  if (same_word(start, "when")) return parse_as<ast::Condition>(condition, text, at, file);
  if (same_word(start, "limit")) return parse_as<ast::Limit>(limit, text, at, file);
  if (same_word(start, "set")) return parse_as<ast::Setting>(setting, text, at, file);
  return parse_as<ast::Rule>(rule, text, at, file);
}

}  // namespace memonline::syntax
