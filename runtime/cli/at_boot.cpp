// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/cli/at_boot.hpp"

#include <utility>

#include "compiler/sema/analyse.hpp"
#include "runtime/cli/inputs.hpp"
#include "runtime/host/mode.hpp"

namespace memonline::cli {

AtBoot look_at_boot(const Where& where) {
  AtBoot at_boot;
  if (runtime::switched_off(where.root)) {
    at_boot.nothing = "nothing to do: memonline.mode=off is on the kernel command line\n";
    return at_boot;
  }
  Policies policies = load_policies(where);
  if (policies.none()) {
    at_boot.nothing = "nothing to do: no policy found\n";
    return at_boot;
  }
  at_boot.problems.append(policies.problems);
  (void)sema::analyse(policies.files, at_boot.problems);
  at_boot.shown = std::move(policies.shown);
  return at_boot;
}

}  // namespace memonline::cli
