// SPDX-License-Identifier: LGPL-2.1-or-later
// Ranges of physical addresses, and which of them contain a block.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace memonline::runtime {

/// Inclusive addresses.
struct AddressRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  friend bool operator==(const AddressRange&, const AddressRange&) = default;
};

inline void sort_ranges(std::vector<AddressRange>& ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const AddressRange& a, const AddressRange& b) { return a.first < b.first; });
}

/// What block `id` covers.
inline AddressRange addresses_of(std::uint64_t id, std::uint64_t block_size) {
  return {id * block_size, id * block_size + block_size - 1};
}

/// The lowest element of the sorted list whose range (by `project`) meets `range`, or nullptr.
template <class Element, class Project>
const Element* touching(const std::vector<Element>& elements, AddressRange range, Project project) {
  const auto at = std::lower_bound(
      elements.begin(), elements.end(), range.first,
      [&](const Element& element, std::uint64_t first) { return project(element).last < first; });
  return at != elements.end() && project(*at).first <= range.last ? &*at : nullptr;
}
inline const AddressRange* touching(const std::vector<AddressRange>& ranges, AddressRange range) {
  return touching(ranges, range, [](const AddressRange& r) { return r; });
}

}  // namespace memonline::runtime
