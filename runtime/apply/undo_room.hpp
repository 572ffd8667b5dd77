// SPDX-License-Identifier: LGPL-2.1-or-later
// Undoing offlines memory like any plan: the pages in use must fit elsewhere.
#pragma once

#include <string>
#include <vector>

#include "compiler/model/host.hpp"
#include "runtime/apply/program.hpp"

namespace memonline::apply {

/// If the tasks, in their order, offline more than fits elsewhere at once: onlines memory first,
/// then changes zones in slices that fit. Leaves the tasks as they are if that does not help.
void fit_by_slices(std::vector<Task>& tasks, const model::Host& now);

/// Why the tasks cannot be carried out: not enough free memory, with numbers and a remedy. Empty:
/// they can.
std::string no_room_for(const std::vector<Task>& tasks, const model::Host& now);

}  // namespace memonline::apply
