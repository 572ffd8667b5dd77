// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string_view>

#include "compiler/base/result.hpp"
#include "compiler/model/host.hpp"
#include "runtime/host/read_host.hpp"

namespace memonline::runtime {

/// A host as far as `lsmem --json` of util-linux 2.30 and later describes it: any columns with
/// BLOCK and one of RANGE, SIZE; sizes as numbers or human-readable. Facts that it does not report
/// (devices, zone spans, kernel settings, the machine) stay unknown, with one note. The error's
/// path is empty.
Result<model::Host, HostError> read_lsmem(std::string_view json);

}  // namespace memonline::runtime
