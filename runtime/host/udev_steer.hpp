// SPDX-License-Identifier: LGPL-2.1-or-later
// Distribution rules that would bring memory online beside the service, steered out of its way: a
// rule cannot take back what a later file does, but a file in /run/udev/rules.d takes the place of
// one of the same name in /usr/lib (udev(7)). The copy differs in nothing but the writes.
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

/// The rules with each of `writes` made an assignment that does nothing; all else stays.
std::string without_writes(std::string_view rules, const std::vector<StateRule>& writes);

/// Puts such copies in place for what the vendor's files would write on this host, below `root`.
/// What /etc says is the administrator's and stays. The files steered away, with their full names.
Result<std::vector<std::string>, FileError> steer_udev(const std::string& root,
                                                       const model::Host& host);
/// Takes away what steer_udev() put there, whoever called it.
void unsteer_udev(const std::string& root);

}  // namespace memonline::runtime
