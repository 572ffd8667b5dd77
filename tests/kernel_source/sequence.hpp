// SPDX-License-Identifier: LGPL-2.1-or-later
// What the differential test does: a boot, then operations on its memory. Both are plain values, so
// that a sequence can be repeated, shortened and printed.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/kernel_source/oracle.h"

namespace memonline::kernel_source {

/// A boot: its memory and its kernel parameters.
struct Boot {
  std::vector<ks_region> regions;  ///< ascending
  std::uint64_t block_pages = 32768;
  std::string kernelcore;   ///< empty: not given
  std::string movablecore;  ///< empty: not given
  bool movable_node = false;
  std::uint64_t cma = 0;  ///< pages of node 0
};

/// Boots the kernel's code with it.
void start(const ks_api& kernel, const Boot& boot);

enum class Device : std::uint8_t { Unknown, Dimm, VirtioMem };

struct Operation {
  enum class Kind : std::uint8_t { Write, Add, Remove, Set, Reread };
  Kind kind = Kind::Write;
  std::uint64_t first = 0;  ///< Write: in this order, down if first > last
  std::uint64_t last = 0;
  std::string_view word;   ///< Write: into `state`; Set: the setting
  std::string_view value;  ///< Set
  int node = 0;            ///< Add
  Device device = Device::Unknown;
  int unit = -1;  ///< Add: the virtio-mem device that grows; -1: a device of its own
  bool memmap = false;
  [[nodiscard]] std::uint64_t low() const { return first < last ? first : last; }
  [[nodiscard]] std::uint64_t high() const { return first < last ? last : first; }
};

/// One line: "online_movable memory40..41", "add memory64..71 node1 dimm".
std::string text_of(const Operation& operation);
/// Several lines.
std::string text_of(const Boot& boot);

using Random = std::mt19937_64;
/// A number in [0, end).
inline std::uint64_t below(Random& random, std::uint64_t end) { return random() % end; }
inline bool chance(Random& random, std::uint64_t percent) { return below(random, 100) < percent; }
template <class Container>
const auto& one_of(Random& random, const Container& container) {
  return container[below(random, std::size(container))];
}

/// Some boot of a machine with up to three nodes.
Boot random_boot(Random& random);
/// Some operation for the blocks that exist (ascending).
Operation random_operation(Random& random, const std::vector<std::uint64_t>& existing);

}  // namespace memonline::kernel_source
