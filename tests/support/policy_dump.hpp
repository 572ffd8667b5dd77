// SPDX-License-Identifier: LGPL-2.1-or-later
// A checked policy as text of one line, without places: two policies that say the same are equal.
#pragma once

#include <string>

#include <fmt/format.h>

#include "compiler/base/overloaded.hpp"
#include "compiler/sema/policy.hpp"

namespace memonline::test {

inline std::string dump(const sema::Amount& amount) {
  return std::visit(overloaded{[](sema::Percent p) { return std::to_string(p.millionths) + "%"; },
                               [](model::Bytes b) { return std::to_string(b.value()) + "B"; },
                               [](sema::Blocks b) { return std::to_string(b.count) + "b"; }},
                    amount);
}

template <class Ranges>
std::string dump_ranges(const Ranges& ranges) {
  std::string out = "[";
  for (const auto& r : ranges) out += fmt::format("{}-{} ", r.first, r.second);
  return out + "]";
}

inline std::string dump(const std::vector<sema::Class>& classes) {
  std::string out = "(";
  for (const sema::Class& c : classes)
    out += std::visit(
        overloaded{[](sema::ClassWord s) { return "s" + std::to_string(static_cast<int>(s)); },
                   [](const sema::NodeList& l) { return "node" + dump_ranges(l.ranges); },
                   [](const sema::DimmList& l) { return "dimm" + dump_ranges(l.ranges); },
                   [](const sema::BlockList& l) { return "block" + dump_ranges(l.ranges); },
                   [](const sema::Addresses& r) {
                     return "address" + std::to_string(r.first) + "-" + std::to_string(r.last);
                   },
                   [](const sema::DaxDevice& d) { return "dax<" + d.name + ">"; },
                   [](const sema::DriverName& d) { return "driver<" + d.name + ">"; }},
        c.is);
  return out + ")";
}

inline std::string dump(const std::vector<sema::Statement>& statements) {
  std::string out = "{";
  const auto number = [](auto value) { return std::to_string(static_cast<int>(value)); };
  for (const sema::Statement& statement : statements)
    out += std::visit(
               overloaded{[&](const sema::Rule& rule) {
                            std::string text = "rule " + number(rule.selector.each) +
                                               dump(rule.selector.classes) +
                                               dump(rule.selector.except);
                            for (const sema::Share& s : rule.shares)
                              text += number(s.place) + (s.amount ? dump(*s.amount) : "all") +
                                      number(s.target) + ",";
                            return text;
                          },
                          [&](const sema::Limit& limit) {
                            const auto* times = std::get_if<sema::Limit::TimesNormal>(&limit.bound);
                            return "limit " +
                                   (times != nullptr ? std::to_string(times->thousandths) + "x"
                                                     : dump(std::get<sema::Amount>(limit.bound))) +
                                   number(limit.per_node);
                          },
                          [&](const sema::Setting& setting) {
                            return "set" + number(setting.value.index()) +
                                   std::visit([&](auto v) { return number(v); }, setting.value);
                          },
                          [&](const sema::When& when) {
                            std::string text = "when" + number(when.fact) + number(when.test);
                            for (const sema::FactValue& v : when.values)
                              text += "<" + v.text + "|" + std::to_string(v.number) + ">";
                            return text + dump(when.then) + dump(when.otherwise);
                          }},
               statement) +
           ";";
  return out + "}";
}

inline std::string dump(const sema::Policy& policy) { return dump(policy.statements); }

}  // namespace memonline::test
