// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/sema/class_sets.hpp"

#include <algorithm>
#include <iterator>

#include "compiler/language/selectors.hpp"

namespace memonline::sema {

namespace {

using language::DeviceKind;

/// Lists are ascending and do not touch: only the last range that starts no later than `part` ends
/// can meet it.
template <class Ranges, class Range>
const Range* range_near(const Ranges& ranges, const Range& part) {
  const auto after =
      std::upper_bound(ranges.begin(), ranges.end(), part.second,
                       [](const auto& last, const auto& range) { return last < range.first; });
  return after == ranges.begin() ? nullptr : &*std::prev(after);
}

template <class Ranges>
bool list_contains(const Ranges& outer, const Ranges& inner) {
  return std::all_of(inner.begin(), inner.end(), [&](const auto& part) {
    const auto* range = range_near(outer, part);
    return range != nullptr && range->first <= part.first && part.second <= range->second;
  });
}

template <class Ranges>
bool list_disjoint(const Ranges& a, const Ranges& b) {
  return std::none_of(a.begin(), a.end(), [&](const auto& part) {
    const auto* range = range_near(b, part);
    return range != nullptr && part.first <= range->second;
  });
}

template <class T>
const T* as(const Class& c) {
  return std::get_if<T>(&c.is);
}

DeviceKind device_of(const Class& c) { return language::row_of(word_of(c)).device; }

bool different_devices(const Class& a, const Class& b) {
  const DeviceKind x = device_of(a);
  const DeviceKind y = device_of(b);
  if (x == DeviceKind::None || y == DeviceKind::None || x == y) return false;
  // A driver may be what manages virtio-mem and dax memory; the others have none.
  const auto may_have_driver = [](DeviceKind kind) {
    return kind == DeviceKind::VirtioMem || kind == DeviceKind::Dax;
  };
  if (x == DeviceKind::Driver) return !may_have_driver(y);
  return y != DeviceKind::Driver || !may_have_driver(x);
}

}  // namespace

bool contains(const Class& outer, const Class& inner) {
  // `node` alone only makes groups.
  if (is_word(outer, ClassWord::All) || is_word(outer, ClassWord::Node)) return true;
  if (const auto* word = as<ClassWord>(outer)) return is_word(inner, *word);
  if (const auto* a = as<NodeList>(outer)) {
    const auto* b = as<NodeList>(inner);
    return b != nullptr && list_contains(a->ranges, b->ranges);
  }
  if (const auto* a = as<DimmList>(outer)) {
    const auto* b = as<DimmList>(inner);
    if (b == nullptr) return false;
    return a->ranges.empty() || (!b->ranges.empty() && list_contains(a->ranges, b->ranges));
  }
  if (const auto* a = as<BlockList>(outer)) {
    const auto* b = as<BlockList>(inner);
    return b != nullptr && list_contains(a->ranges, b->ranges);
  }
  if (const auto* a = as<Addresses>(outer)) {
    const auto* b = as<Addresses>(inner);
    return b != nullptr && a->first <= b->first && b->last <= a->last;
  }
  if (const auto* a = as<DaxDevice>(outer)) {
    const auto* b = as<DaxDevice>(inner);
    return b != nullptr && (a->name.empty() || a->name == b->name);
  }
  const auto* b = as<DriverName>(inner);
  return b != nullptr && as<DriverName>(outer)->name == b->name;
}

bool disjoint(const Class& a, const Class& b) {
  if (different_devices(a, b)) return true;
  for (const auto& [x, y] : {std::pair(&a, &b), std::pair(&b, &a)})
    if (is_word(*x, ClassWord::Boot) &&
        (is_word(*y, ClassWord::Hotplugged) || device_of(*y) != DeviceKind::None))
      return true;
  if (as<NodeList>(a) != nullptr && as<NodeList>(b) != nullptr)
    return list_disjoint(as<NodeList>(a)->ranges, as<NodeList>(b)->ranges);
  if (as<DimmList>(a) != nullptr && as<DimmList>(b) != nullptr)
    return !as<DimmList>(a)->ranges.empty() && !as<DimmList>(b)->ranges.empty() &&
           list_disjoint(as<DimmList>(a)->ranges, as<DimmList>(b)->ranges);
  if (as<BlockList>(a) != nullptr && as<BlockList>(b) != nullptr)
    return list_disjoint(as<BlockList>(a)->ranges, as<BlockList>(b)->ranges);
  if (as<Addresses>(a) != nullptr && as<Addresses>(b) != nullptr)
    return as<Addresses>(a)->last < as<Addresses>(b)->first ||
           as<Addresses>(b)->last < as<Addresses>(a)->first;
  if (as<DaxDevice>(a) != nullptr && as<DaxDevice>(b) != nullptr)
    return !as<DaxDevice>(a)->name.empty() && !as<DaxDevice>(b)->name.empty() &&
           as<DaxDevice>(a)->name != as<DaxDevice>(b)->name;
  if (as<DriverName>(a) != nullptr && as<DriverName>(b) != nullptr)
    return as<DriverName>(a)->name != as<DriverName>(b)->name;
  return false;
}

bool contains(const std::vector<Class>& outer, const std::vector<Class>& inner) {
  return std::all_of(outer.begin(), outer.end(), [&](const Class& o) {
    if (is_word(o, ClassWord::All) || is_word(o, ClassWord::Node)) return true;
    return std::any_of(inner.begin(), inner.end(), [&](const Class& i) { return contains(o, i); });
  });
}

}  // namespace memonline::sema
