// SPDX-License-Identifier: LGPL-2.1-or-later
// Decides every `when` for a host. A fact that the host does not provide matches no test, `is not`
// included: the `else` branch is taken and a warning (once per fact) reports it.
#pragma once

#include "compiler/diag/diagnostic.hpp"
#include "compiler/model/host.hpp"
#include "compiler/sema/policy.hpp"

namespace memonline::sema {

FlatPolicy resolve(const Policy& policy, const model::Host& host, diag::Sink& sink);

}  // namespace memonline::sema
