// SPDX-License-Identifier: LGPL-2.1-or-later
// `limit` and `set`.
#include "compiler/language/settings.hpp"
#include "compiler/sema/lower.hpp"
#include "compiler/sema/numbers.hpp"
#include "compiler/sema/words.hpp"

namespace memonline::sema {

namespace {

using diag::Code;

constexpr std::uint64_t kTimesScale = 1000;  // Limit::TimesNormal::thousandths

/// The only word that is allowed here.
void require_word(const ast::Word& word, std::string_view due, diag::Sink& sink) {
  if (word.text == due) return;
  if (in_lower_case(word.text) == due) return require_lower_case(word, sink);
  diag::Diagnostic& d = sink.add(Code::LimitWord, word.span,
                                 fmt::format("expected `{}`, found `{}`", due, word.text));
  replace_by(d, word, due);
}

std::optional<Limit::TimesNormal> read_times(const ast::Limit& node, diag::Sink& sink) {
  if (node.amount.unit.text == "X") require_lower_case(node.amount.unit, sink);
  if (!node.of) {
    diag::Diagnostic& d =
        sink.add(Code::LimitWord, span_of(node.amount),
                 fmt::format("expected `normal` after `{}x`", node.amount.number.text));
    const std::uint32_t end = node.amount.unit.span.end;
    d.help = fmt::format("write `{}x normal`", node.amount.number.text);
    d.fixit = diag::FixIt{{node.amount.unit.span.file, end, end}, " normal"};
    return std::nullopt;
  }
  require_word(node.of, "normal", sink);
  const Number number = scaled_number(node.amount.number.text, kTimesScale, true);
  if (!check_number(node.amount.number, number.fault, sink)) return std::nullopt;
  return Limit::TimesNormal{number.value};
}

}  // namespace

std::optional<Limit> lower_limit(const ast::Limit& node, diag::Sink& sink) {
  const std::size_t errors = sink.errors();
  Limit limit{Limit::TimesNormal{}, false, span_of(node)};
  for (const ast::Word& word : {node.keyword, node.to, node.per.keyword})
    require_lower_case(word, sink);
  require_word(node.what, "movable", sink);
  if (node.per.what) require_word(node.per.what, "node", sink);
  limit.per_node = static_cast<bool>(node.per.what);
  const bool times = node.amount.unit.text == "x" || node.amount.unit.text == "X";
  if (times) {
    if (const auto bound = read_times(node, sink)) limit.bound = *bound;
  } else {
    if (node.of) {
      diag::Diagnostic& d = sink.add(Code::LimitWord, node.of.span,
                                     fmt::format("unexpected `{}` after an amount", node.of.text));
      d.help = "remove it, or write for example `3x normal`";
      d.fixit = diag::FixIt{{node.of.span.file, node.amount.unit.span.end, node.of.span.end}, ""};
    }
    if (!node.amount.unit)
      sink.add(Code::MissingUnit, node.amount.number.span,
               fmt::format("`{}` has no unit", node.amount.number.text))
          .help = "write for example " + examples_for(node.amount.number.text, "x");
    else if (const auto bound = read_amount(node.amount, sink))
      limit.bound = *bound;
  }
  if (sink.errors() > errors) return std::nullopt;
  return limit;
}

std::optional<Setting> lower_setting(const ast::Setting& node, diag::Sink& sink) {
  const std::size_t errors = sink.errors();
  require_lower_case(node.keyword, sink);
  const auto found =
      look_up(node.name, language::kSettingWords, Code::UnknownSetting, "setting", sink);
  if (!found) return std::nullopt;
  Setting setting{{}, span_of(node)};
  language::for_each_setting([&](const auto& row) {
    if (row.word != name_in(language::kSettingWords, *found)) return;
    if (const auto value = find_word(node.value, row.values, sink))
      setting.value = *value;
    else
      suggest(sink.add(Code::UnknownSettingValue, node.value.span,
                       fmt::format("invalid value `{}` for `{}`", node.value.text, row.word)),
              node.value, names_of(row.values));
  });
  if (sink.errors() > errors) return std::nullopt;
  return setting;
}

}  // namespace memonline::sema
