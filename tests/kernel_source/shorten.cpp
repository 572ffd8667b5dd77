// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/kernel_source/shorten.hpp"

#include <algorithm>
#include <optional>

#include "tests/kernel_source/machine.hpp"

namespace memonline::kernel_source {

namespace {

// The failure up to its first difference, or empty.
std::optional<Failure> repeated(const ks_api& kernel, Failure failure) {
  Machine machine(kernel, failure.boot);
  std::uint64_t steps = 0;
  if (auto difference = machine.compare_all()) {
    failure.operations.clear();
    failure.difference = *difference;
    return failure;
  }
  for (std::size_t i = 0; i < failure.operations.size(); ++i) {
    auto difference = machine.perform(failure.operations[i], steps);
    if (!difference) difference = machine.compare_all();
    if (!difference) continue;
    failure.operations.resize(i + 1);
    failure.difference = *difference;
    return failure;
  }
  return std::nullopt;
}

void leave_out_operations(const ks_api& kernel, Failure& failure) {
  for (std::size_t size = failure.operations.size() / 2; size > 0;) {
    bool shorter = false;
    for (std::size_t at = 0; at + size <= failure.operations.size();) {
      Failure tried = failure;
      const auto from = tried.operations.begin() + static_cast<std::ptrdiff_t>(at);
      tried.operations.erase(from, from + static_cast<std::ptrdiff_t>(size));
      if (auto found = repeated(kernel, std::move(tried))) {
        failure = std::move(*found);
        shorter = true;
      } else {
        at += size;
      }
    }
    if (!shorter || size > failure.operations.size()) size /= 2;
  }
}

void simplify_boot(const ks_api& kernel, Failure& failure) {
  const auto attempt = [&](auto change) {
    Failure tried = failure;
    change(tried.boot);
    if (auto found = repeated(kernel, std::move(tried))) failure = std::move(*found);
  };
  attempt([](Boot& boot) { boot.kernelcore.clear(); });
  attempt([](Boot& boot) { boot.movablecore.clear(); });
  attempt([](Boot& boot) { boot.movable_node = false; });
  attempt([](Boot& boot) { boot.cma = 0; });
  for (std::size_t i = failure.boot.regions.size(); i-- > 1;)
    attempt([i](Boot& boot) {
      boot.regions.erase(boot.regions.begin() + static_cast<std::ptrdiff_t>(i));
    });
}

}  // namespace

Failure shortened(const ks_api& kernel, Failure failure) {
  // A comparison of all blocks after each operation finds it at the latest where it was found.
  if (auto found = repeated(kernel, failure)) failure = std::move(*found);
  leave_out_operations(kernel, failure);
  simplify_boot(kernel, failure);
  leave_out_operations(kernel, failure);
  return failure;
}

}  // namespace memonline::kernel_source
