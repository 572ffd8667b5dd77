// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/syntax/ast.hpp"

namespace memonline::ast {

using source::SourceSpan;

SourceSpan span_of(const std::vector<Word>& words) {
  return join(words.front().span, words.back().span);
}

SourceSpan span_of(const Class& node) {
  SourceSpan span = node.name.span;
  if (node.argument) span.end = node.argument.span.end;
  if (!node.ranges.empty()) {
    const Range& last = node.ranges.back();
    span.end = (last.last ? last.last : last.first).span.end;
  }
  return span;
}

SourceSpan span_of(const std::vector<Class>& nodes) {
  return join(span_of(nodes.front()), span_of(nodes.back()));
}

SourceSpan span_of(const Selector& node) {
  const SourceSpan from = node.each ? node.each.span : span_of(node.classes.front());
  if (!node.exceptions.empty()) return join(from, span_of(node.exceptions.back()));
  return join(from, span_of(node.classes.back()));
}

SourceSpan span_of(const Amount& node) {
  return node.unit ? join(node.number.span, node.unit.span) : node.number.span;
}

SourceSpan span_of(const Share& node) {
  SourceSpan span = node.target.span;
  if (node.amount.number) span.begin = node.amount.number.span.begin;
  if (!node.places.empty()) span.begin = node.places.front().span.begin;
  return span;
}

SourceSpan span_of(const Rule& node) {
  return join(span_of(node.selector), span_of(node.shares.back()));
}

SourceSpan span_of(const Limit& node) {
  SourceSpan end = span_of(node.amount);
  if (node.of) end = node.of.span;
  if (node.per.what) end = node.per.what.span;
  return join(node.keyword.span, end);
}

SourceSpan span_of(const Setting& node) { return join(node.keyword.span, node.value.span); }

SourceSpan span_of(const Condition& node) {
  return join(node.keyword.span, node.values.back().back().span);
}

}  // namespace memonline::ast
