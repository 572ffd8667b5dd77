// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/sema/resolve.hpp"

#include <algorithm>
#include <array>
#include <compare>

#include <fmt/format.h>

#include "compiler/base/overloaded.hpp"
#include "compiler/language/conditions.hpp"
#include "compiler/sema/facts.hpp"
#include "compiler/sema/version.hpp"

namespace memonline::sema {

namespace {

/// The value of a fact; empty if the host does not provide it.
struct Known {
  std::optional<std::string> text;
  std::optional<std::uint64_t> number;
};

std::optional<std::string> provided(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

Known ask(Fact fact, const model::Host& host) {
  switch (fact) {
    case Fact::Arch: return {provided(host.arch), {}};
    case Fact::Virtualization: return {provided(host.virtualization), {}};
    case Fact::Kernel: return {provided(host.kernel), {}};
    case Fact::Vendor: return {provided(host.vendor), {}};
    case Fact::Product: return {provided(host.product), {}};
    case Fact::Family: return {provided(host.family), {}};
    case Fact::Memory:
      return {{}, host.memory ? std::optional(host.memory->value()) : std::nullopt};
    case Fact::Nodes:
      return {{}, host.nodes.empty() ? std::nullopt : std::optional(host.nodes.size())};
  }
  return {};
}

bool holds(Test test, std::strong_ordering order) {
  switch (test) {
    case Test::Is:
    case Test::IsNot: return order == 0;
    case Test::Less: return order < 0;
    case Test::LessEqual: return order <= 0;
    case Test::Greater: return order > 0;
    case Test::GreaterEqual: return order >= 0;
  }
  return false;
}

bool matches(const When& when, const FactValue& value, const Known& known) {
  if (known.number) return holds(when.test, *known.number <=> value.number);
  if (when.fact == Fact::Kernel) return holds(when.test, compare_release(*known.text, value.text));
  return matches_pattern(*known.text, value.text);
}

class Resolver {
 public:
  Resolver(const model::Host& host, diag::Sink& sink) : host_(host), sink_(sink) {}

  FlatPolicy run(const Policy& policy) {
    visit(policy.statements);
    return std::move(flat_);
  }

 private:
  void visit(const std::vector<Statement>& statements) {
    for (const Statement& statement : statements)
      std::visit(overloaded{[&](const Rule& rule) { flat_.rules.push_back(rule); },
                            [&](const Limit& limit) { flat_.limits.push_back(limit); },
                            [&](const Setting& setting) { flat_.settings.set(setting); },
                            [&](const When& when) { visit(decide(when)); }},
                 statement);
  }

  const std::vector<Statement>& decide(const When& when) {
    const Known known = ask(when.fact, host_);
    if (!known.text && !known.number) {
      report_unknown(when);
      return when.otherwise;
    }
    const bool any = std::any_of(when.values.begin(), when.values.end(),
                                 [&](const FactValue& v) { return matches(when, v, known); });
    return any != (when.test == Test::IsNot) ? when.then : when.otherwise;
  }

  void report_unknown(const When& when) {
    bool& reported = reported_[static_cast<std::size_t>(when.fact)];
    if (reported) return;
    reported = true;
    sink_
        .add(diag::Code::FactUnknown, when.span,
             fmt::format("this host does not provide `{}`: no test of it is true",
                         name_in(language::kFacts, when.fact)))
        .help = "the `else` branch is taken; write one for hosts without this fact";
  }

  const model::Host& host_;
  diag::Sink& sink_;
  FlatPolicy flat_;
  std::array<bool, language::kFacts.size()> reported_{};
};

}  // namespace

FlatPolicy resolve(const Policy& policy, const model::Host& host, diag::Sink& sink) {
  return Resolver(host, sink).run(policy);
}

}  // namespace memonline::sema
