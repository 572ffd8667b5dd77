// SPDX-License-Identifier: LGPL-2.1-or-later
// Hosts as sequences of block ranges on two nodes, each made by writes to the kernel model, so that
// a kernel of that era can be in this state.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/model/host.hpp"
#include "tests/bounded/grammar.hpp"

namespace memonline::bounded {

struct Range {
  enum class Kind : std::uint8_t {
    HotOffline,
    HotKernel,
    HotMovable,
    BootKernel,
    BootMovable,
    BootOffline
  };
  Kind kind = Kind::HotOffline;
  std::uint32_t node = 0;
  std::uint64_t blocks = 1;
  [[nodiscard]] bool boot() const { return kind >= Kind::BootKernel; }
  [[nodiscard]] char state() const;  ///< as Block::before
};

struct Kernel {
  model::Era era = model::Era::D;
  bool movable_node = false;
  bool auto_movable = false;
};

struct BoundedHost {
  Kernel kernel;
  std::vector<Range> ranges;
  model::Host host;
  std::vector<Block> blocks;
  [[nodiscard]] std::string layout() const;  ///< before the plan, a character per block
  /// The same host as lines of a unit test.
  [[nodiscard]] std::string code() const;
};

/// Memory0 is boot memory of node 0 that spans several zones, as on each x86 machine; the ranges
/// follow it without gaps. Empty: no order of writes of this era leads there.
std::optional<BoundedHost> host_of(const Kernel& kernel, const std::vector<Range>& ranges);

/// All hosts of up to `most` ranges of these kinds and sizes, those with few ranges first.
std::vector<BoundedHost> hosts_of(const Kernel& kernel, unsigned most,
                                  const std::vector<Range::Kind>& kinds,
                                  const std::vector<std::uint64_t>& sizes);

}  // namespace memonline::bounded
