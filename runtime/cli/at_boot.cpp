// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/cli/at_boot.hpp"

#include <utility>

#include <fmt/format.h>

#include "compiler/sema/analyse.hpp"
#include "runtime/base/file.hpp"
#include "runtime/cli/inputs.hpp"
#include "runtime/host/mode.hpp"
#include "runtime/host/text.hpp"
#include "runtime/service/left_alone.hpp"

namespace memonline::cli {

AtBoot look_at_boot(const Where& where) {
  AtBoot at_boot;
  if (runtime::switched_off(where.root)) {
    at_boot.nothing = "nothing to do: memonline.mode=off is on the kernel command line\n";
    return at_boot;
  }
  Policies policies = load_policies(where);
  if (policies.none()) {
    at_boot.nothing = "nothing to do: there is no policy\n";
    return at_boot;
  }
  at_boot.problems.append(policies.problems);
  (void)sema::analyse(policies.files, at_boot.problems);
  at_boot.shown = std::move(policies.shown);
  return at_boot;
}

std::string rule_for_left_alone(const std::string& root) {
  const std::string below = root == "/" ? "" : root;
  const auto boot = runtime::read_file(below + "/proc/sys/kernel/random/boot_id");
  if (!boot) return {};
  const service::LeftAlone left_alone(below + "/run/memonline/left-alone",
                                      std::string(runtime::trimmed(*boot)));
  std::string blocks;
  for (const auto& [first, last] : left_alone.offline())
    blocks += fmt::format("{}{}-{}", blocks.empty() ? "" : ",", first, last);
  return blocks.empty() ? std::string() : fmt::format("block {}: keep\n", blocks);
}

}  // namespace memonline::cli
