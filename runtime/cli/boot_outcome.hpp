// SPDX-License-Identifier: LGPL-2.1-or-later
// The result of the kernel parameters that were written: whether this boot has them, and whether
// boot memory matches the prediction that was made when they were written.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/diag/diagnostic.hpp"
#include "compiler/model/host.hpp"
#include "runtime/boot/state.hpp"

namespace memonline::cli {

struct ZoneDifference {
  std::uint32_t node = 0;
  std::string zone;
  std::uint64_t predicted = 0;  ///< bytes
  std::uint64_t real = 0;
};

struct BootOutcome {
  enum class Is : std::uint8_t {
    None,            ///< no parameters of ours
    RebootRequired,  ///< the running kernel was booted without them
    InForce,         ///< it has them, and there is no prediction that can be checked
    AsPredicted,
    NotAsPredicted,
  };
  Is is = Is::None;
  boot::Words parameters;
  std::vector<ZoneDifference> differences;
};

/// Compares `own_parameters` of the host with its command line, and the prediction in the state
/// with its zones. Hot-added memory is not counted.
BootOutcome boot_outcome(const model::Host& host, const boot::State& state);
std::string_view outcome_name(BootOutcome::Is is);
/// One line for people, empty for None; ML0781 with the differences goes into `sink`.
std::string outcome_text(const BootOutcome& outcome);
void add_outcome(const BootOutcome& outcome, diag::Sink& sink);

}  // namespace memonline::cli
