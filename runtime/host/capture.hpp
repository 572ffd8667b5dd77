// SPDX-License-Identifier: LGPL-2.1-or-later
// A host as a text that can be kept, sent and read again: YAML, schema "memonline.host/1".
#pragma once

#include <string>
#include <string_view>

#include "compiler/base/result.hpp"
#include "compiler/model/host.hpp"
#include "runtime/host/read_host.hpp"

namespace memonline::runtime {

/// The same bytes for the same host. Has what a plan depends on and what a reader of the host wants
/// to know, but not its source or the name of the machine, and of the command line only the words
/// about memory. Reading it back gives the same host except for the name.
std::string write_snapshot(const model::Host& host);

/// Reads it back. The error's path is empty; its message has the line, if there is one.
Result<model::Host, HostError> read_snapshot(std::string_view text);

}  // namespace memonline::runtime
