// SPDX-License-Identifier: LGPL-2.1-or-later
// A report for programs: the members `report` and `undone` of schema memonline.report/1.
#pragma once

#include <string>
#include <string_view>

#include "runtime/apply/report.hpp"

namespace memonline::apply {

std::string_view result_name(Report::Result result);  ///< complete partly failed
std::string to_json(const Report& report);

}  // namespace memonline::apply
