// SPDX-License-Identifier: LGPL-2.1-or-later
// A host as text to be kept, sent and read again: YAML, schema "memonline.host/1".
#pragma once

#include <string>
#include <string_view>

#include "compiler/base/result.hpp"
#include "compiler/model/host.hpp"
#include "runtime/host/read_host.hpp"

namespace memonline::runtime {

/// The same bytes for the same host. Holds what a plan depends on and what a reader of the host
/// wants to know; not where it was read from, no name of the machine, and of its command line only
/// the words that concern memory. Reading it back gives the same host but for the name.
std::string write_snapshot(const model::Host& host);

/// The way back. The error's path is empty; its message says the line where there is one.
Result<model::Host, HostError> read_snapshot(std::string_view text);

}  // namespace memonline::runtime
