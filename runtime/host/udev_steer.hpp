// SPDX-License-Identifier: LGPL-2.1-or-later
// Disables distribution rules that would online memory beside the service: a rule cannot undo what
// a later file does, but a file in /run/udev/rules.d replaces one of the same name in /usr/lib
// (udev(7)). The copy differs only in the writes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "compiler/base/result.hpp"
#include "compiler/model/host.hpp"
#include "runtime/base/file.hpp"
#include "runtime/host/tree.hpp"
#include "runtime/host/udev_walk.hpp"

namespace memonline::runtime {

/// The rules with each of `writes` replaced by an assignment without effect.
std::string without_writes(std::string_view rules, const std::vector<StateRule>& writes);

/// Puts such copies in place for what the vendor's files would write on this host, below `root`.
/// Files in /etc are the administrator's and stay. Gives the replaced files, with their full names.
Result<std::vector<std::string>, FileError> steer_udev(const std::string& root,
                                                       const model::Host& host);
/// Removes the copies of steer_udev(), of any process.
void unsteer_udev(const std::string& root);

}  // namespace memonline::runtime
