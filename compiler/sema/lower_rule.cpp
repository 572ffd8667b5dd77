// SPDX-License-Identifier: LGPL-2.1-or-later
// The shares of a rule: their places, amounts and targets.
#include "compiler/language/targets.hpp"
#include "compiler/sema/lower.hpp"
#include "compiler/sema/numbers.hpp"
#include "compiler/sema/words.hpp"
#include "compiler/syntax/parse.hpp"
#include "compiler/syntax/target_words.hpp"

namespace memonline::sema {

namespace {

using diag::Code;

using language::kPlaces;
using language::kTargets;

Place lower_place(const ast::Share& node, diag::Sink& sink) {
  Place place = Place::Unplaced;
  for (const ast::Word& word : node.places) {
    const Place read = find_word(word, kPlaces, sink).value_or(Place::Unplaced);
    if (place == Place::Unplaced) place = read;
  }
  if (node.places.size() < 2) return place;
  diag::Diagnostic& d =
      sink.add(Code::TwoPlaces, span_of(node.places),
               fmt::format("a share takes only one of {}", listed(names_of(kPlaces), "and")));
  d.help = "keep one of them";
  d.fixit = diag::FixIt{
      {span_of(node.places).file, node.places.front().span.end, node.places.back().span.end}, ""};
  return place;
}

void check_rest(const ast::Share& node, diag::Sink& sink) {
  if (!node.amount.number) return;
  diag::Diagnostic& d =
      sink.add(Code::RestWithAmount, span_of(node), "`rest` takes no amount: it is the remainder");
  const ast::Word& rest = node.places.front();
  d.help = "remove the amount, or remove `rest`";
  d.fixit = diag::FixIt{{rest.span.file, rest.span.end, span_of(node.amount).end}, ""};
}

void report_target(const ast::Word& word, diag::Sink& sink) {
  diag::Diagnostic& d =
      sink.add(Code::UnknownTarget, word.span, fmt::format("no target named `{}`", word.text));
  const std::string_view meant = syntax::meant_target(word.text);
  if (word.text == name_in(language::kClasses, language::ClassWord::SystemRam))
    d.help = "write it before the colon, after the device: `dax0.0 system-ram: movable`";
  else if (meant.empty())
    d.help = fmt::format("use {}", listed(names_of(kTargets), "or"));
  else
    replace_by(d, word, meant);
}

std::optional<Share> lower_share(const ast::Share& node, diag::Sink& sink) {
  const std::size_t errors = sink.errors();
  Share share;
  share.span = span_of(node);
  share.place = lower_place(node, sink);
  if (share.place == Place::Rest)
    check_rest(node, sink);
  else if (node.amount.number)
    share.amount = read_amount(node.amount, sink);
  const auto target = find_word(node.target, kTargets, sink);
  if (!target) report_target(node.target, sink);
  if (sink.errors() > errors) return std::nullopt;
  share.target = *target;
  return share;
}

void check_one_rest(const std::vector<Share>& shares, diag::Sink& sink) {
  const Share* first = nullptr;
  for (const Share& share : shares) {
    if (share.place != Place::Rest || sink.errors() >= syntax::kMaxErrors) continue;
    if (first == nullptr) {
      first = &share;
      continue;
    }
    diag::Diagnostic& d = sink.add(Code::RestTwice, share.span, "a rule takes only one `rest`");
    d.labels.push_back({first->span, "the first `rest` is here"});
    d.help = "give one of them an amount";
  }
}

void check_percent_sum(const std::vector<Share>& shares, diag::Sink& sink) {
  std::uint64_t sum = 0;
  constexpr std::uint64_t kWhole = 100'000'000;
  for (const Share& share : shares) {
    const auto* percent = share.amount ? std::get_if<Percent>(&*share.amount) : nullptr;
    if (percent == nullptr) continue;
    const bool had_room = sum <= kWhole;
    sum += percent->millionths;
    if (sum <= kWhole || !had_room) continue;
    sink.add(Code::PercentSum, share.span, "the percentages of this rule add up to more than 100")
        .help = "lower one of them, or write `rest` for the last";
  }
}

}  // namespace

std::optional<Rule> lower_rule(const ast::Rule& node, diag::Sink& sink) {
  const std::size_t errors = sink.errors();
  Rule rule;
  rule.span = span_of(node);
  auto selector = lower_selector(node.selector, sink);
  for (const ast::Share& share : node.shares) {
    if (sink.errors() >= syntax::kMaxErrors) return std::nullopt;
    if (auto lowered = lower_share(share, sink)) rule.shares.push_back(*lowered);
  }
  check_one_rest(rule.shares, sink);
  check_percent_sum(rule.shares, sink);
  if (sink.errors() > errors || !selector) return std::nullopt;
  rule.selector = std::move(*selector);
  return rule;
}

}  // namespace memonline::sema
