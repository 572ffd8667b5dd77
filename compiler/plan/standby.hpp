// SPDX-License-Identifier: LGPL-2.1-or-later
// Standby memory that has no blocks until it is configured (s390x, Linux 6.19+). Only rules that
// name `standby` apply to it: memory that an LPAR or guest may take is taken on explicit request
// only. Select to order treat it as offline blocks; then the steps that configure it are added, and
// the whole is proved on the kernel model.
#pragma once

#include <optional>
#include <vector>

#include "compiler/base/work.hpp"
#include "compiler/diag/diagnostic.hpp"
#include "compiler/model/host.hpp"
#include "compiler/plan/allocate.hpp"
#include "compiler/plan/plan.hpp"
#include "compiler/plan/select.hpp"
#include "compiler/source/source.hpp"

namespace memonline::plan {

class StandbyPart {
 public:
  /// All must outlive it. Once `work` is exhausted, nothing more is done.
  StandbyPart(const sema::FlatPolicy& policy, const model::Host& host, Work& work);

  /// The host with offline blocks for standby memory that rules may configure; its `standby` is the
  /// rest. Without such memory or rules, the host itself.
  [[nodiscard]] const model::Host& host() const { return with_ ? *with_ : host_; }

  /// Takes memory without blocks out of the selection, and of host(), where the rule that governs
  /// it does not name `standby`.
  void settle(Selection& selection);

  /// Adds the steps that configure memory before it is onlined and deconfigure what is to stay
  /// offline, and numbers all steps.
  void add_steps(Allocation& allocation, const source::SourceSet& files, std::vector<Step>& steps,
                 diag::Sink& sink) const;

  /// The host after all steps, `outcome` unless there is memory to configure. An error if the model
  /// refuses a step.
  [[nodiscard]] model::Host proved(const std::vector<Step>& steps, model::Host outcome,
                                   diag::Sink& sink) const;

 private:
  void hold_setting(std::vector<Step>& steps) const;
  [[nodiscard]] std::optional<bool> wanted_map(const model::BlockRange& blocks) const;
  void give_back(Allocation& allocation, const source::SourceSet& files,
                 std::vector<Step>& steps) const;

  const sema::FlatPolicy& policy_;
  const model::Host& host_;
  Work& work_;
  std::optional<model::Host> with_;
  model::BlockSet without_blocks_;  ///< standby memory that with_ has blocks for
  model::BlockSet named_;           ///< configured blocks that a rule selects that names `standby`
};

}  // namespace memonline::plan
