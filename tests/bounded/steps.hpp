// SPDX-License-Identifier: LGPL-2.1-or-later
// The steps of a plan, block by block: the model accepts each, and they are in the order that
// compiler/plan/README.md promises.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/plan/plan.hpp"
#include "tests/bounded/hosts.hpp"

namespace memonline::bounded {

/// One write to one block.
struct Event {
  std::uint64_t block = 0;
  std::uint32_t node = 0;
  std::size_t step = 0;  ///< index into Plan::steps
  bool offline = false;
  model::OnlineWord word = model::OnlineWord::Online;  ///< of an online write
  bool rezoned = false;  ///< the block was online before; or it is offlined, and onlined later
};

std::vector<Event> events_of(const plan::Plan& plan, const BoundedHost& host);

/// The first mistake in the steps by themselves: a block written twice; the order.
std::optional<std::string> mistake_in(const std::vector<Event>& events, const plan::Plan& plan,
                                      const BoundedHost& host);

/// Applies the steps to the kernel model. The first mistake: a write that it refuses, another zone
/// than predicted, another host in the end than `outcome`.
std::optional<std::string> replay(const plan::Plan& plan, const model::Host& host,
                                  const model::Host& outcome);

}  // namespace memonline::bounded
