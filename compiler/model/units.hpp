// SPDX-License-Identifier: LGPL-2.1-or-later
// The numbers of memory hotplug and the conversions between them. Block N covers the bytes
// [N * block size, (N + 1) * block size); a page frame number is an address over the page size.
#pragma once

#include <cstdint>
#include <string>

#include "compiler/base/strong.hpp"

namespace memonline::model {

using BlockId = Position<struct BlockTag>;
using Pfn = Position<struct PfnTag>;
using NodeId = Id<struct NodeTag>;
using Bytes = Quantity<struct BytesTag>;

/// Consecutive pages by their frame numbers: from `begin` to before `end`.
struct PageRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  friend bool operator==(const PageRange&, const PageRange&) = default;
};

/// "6 GiB", "4.8 GiB", "256 MiB": one decimal where it is not whole; for people, not for programs.
std::string human(Bytes bytes);
/// "6GiB", "3.75GiB", "100MiB": the same number of bytes, as it is typed into a policy or an
/// option.
std::string exact(Bytes bytes);

}  // namespace memonline::model
