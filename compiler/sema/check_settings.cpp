// SPDX-License-Identifier: LGPL-2.1-or-later
#include <array>

#include <fmt/format.h>

#include "compiler/language/settings.hpp"
#include "compiler/sema/checks.hpp"

namespace memonline::sema {

namespace {

using diag::Code;

/// The later statement that overrides each kind of setting.
using Overriding = std::array<const Setting*, std::variant_size_v<language::SettingValue>>;

/// From the last statement to the first: the later one applies. Only within a file: the
/// administrator's file may override the vendor's.
void check_overridden(const std::vector<Statement>& statements, Overriding later,
                      diag::Sink& sink) {
  for (auto at = statements.rbegin(); at != statements.rend(); ++at) {
    if (const auto* when = std::get_if<When>(&*at)) {
      check_overridden(when->then, later, sink);
      check_overridden(when->otherwise, later, sink);
    }
    const auto* setting = std::get_if<Setting>(&*at);
    if (setting == nullptr || sink.all().size() >= kMaxWarnings) continue;
    const Setting*& winner = later[setting->value.index()];
    if (winner != nullptr && winner->span.file == setting->span.file)
      sink.add(Code::SettingWithoutEffect, setting->span,
               "this setting has no effect: a later one overrides it")
          .labels.push_back({winner->span, "overridden here"});
    else
      winner = setting;
  }
}

/// Of one kind, so that the smaller number is the tighter limit.
bool comparable(const Limit& a, const Limit& b) {
  if (a.per_node != b.per_node || a.bound.index() != b.bound.index()) return false;
  const auto* x = std::get_if<Amount>(&a.bound);
  const auto* y = std::get_if<Amount>(&b.bound);
  return x == nullptr || x->index() == y->index();
}

std::uint64_t number_of(const Limit& limit) {
  if (const auto* times = std::get_if<Limit::TimesNormal>(&limit.bound)) return times->thousandths;
  const auto& amount = std::get<Amount>(limit.bound);
  if (const auto* percent = std::get_if<Percent>(&amount)) return percent->millionths;
  if (const auto* blocks = std::get_if<Blocks>(&amount)) return blocks->count;
  return std::get<model::Bytes>(amount).value();
}

/// All limits apply, so the looser of two limits of one kind has no effect.
void check_limits(const std::vector<Statement>& statements, diag::Sink& sink) {
  std::vector<const Limit*> tightest;  // one of each kind: four at most, and per node
  for (const Statement& statement : statements) {
    if (sink.all().size() >= kMaxWarnings) return;
    if (const auto* when = std::get_if<When>(&statement)) {
      check_limits(when->then, sink);
      check_limits(when->otherwise, sink);
    }
    const auto* limit = std::get_if<Limit>(&statement);
    if (limit == nullptr) continue;
    bool first_of_kind = true;
    for (const Limit*& other : tightest) {
      if (!comparable(*other, *limit)) continue;
      first_of_kind = false;
      const bool tighter = number_of(*limit) < number_of(*other);
      const Limit& loose = tighter ? *other : *limit;
      const Limit& tight = tighter ? *limit : *other;
      if (loose.span.file == tight.span.file)
        sink.add(Code::LimitTwice, loose.span,
                 "this limit has no effect: another one is as tight or tighter")
            .labels.push_back({tight.span, "the other limit"});
      other = &tight;
    }
    if (first_of_kind) tightest.push_back(limit);
  }
}

}  // namespace

void check_settings(const Policy& policy, const source::SourceSet&, diag::Sink& sink) {
  diag::Sink found;
  check_overridden(policy.statements, {}, found);
  check_limits(policy.statements, found);
  sink.append(found);
}

}  // namespace memonline::sema
