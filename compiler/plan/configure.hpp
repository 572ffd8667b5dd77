// SPDX-License-Identifier: LGPL-2.1-or-later
// Memory that has no blocks until it is configured: standby memory (s390x, Linux 6.19+), and dax
// devices without a driver, until kmem makes them system RAM. Only rules that name `standby` or
// `system-ram` apply to it: such memory is taken on explicit request only. Select to order treat it
// as offline blocks; then the steps that configure it are added, and the whole is proved on the
// kernel model.
#pragma once

#include <optional>
#include <set>
#include <vector>

#include "compiler/base/work.hpp"
#include "compiler/diag/diagnostic.hpp"
#include "compiler/model/host.hpp"
#include "compiler/plan/allocate.hpp"
#include "compiler/plan/plan.hpp"
#include "compiler/plan/select.hpp"
#include "compiler/source/source.hpp"

namespace memonline::plan {

/// Whether the rule's selector has this word, by itself.
bool names(const sema::Rule& rule, sema::ClassWord word);

class ConfigurePart {
 public:
  /// All must outlive it. Once `work` is exhausted, nothing more is done.
  ConfigurePart(const sema::FlatPolicy& policy, const model::Host& host, Work& work);

  /// The host with offline blocks for the memory that rules may configure; its `standby` is the
  /// rest. Without such memory or rules, the host itself.
  [[nodiscard]] const model::Host& host() const { return with_ ? *with_ : host_; }

  /// Takes memory without blocks out of the selection, and of host(), where the rule that governs
  /// it does not name `standby` or `system-ram`.
  void settle(Selection& selection);

  /// Adds the steps that configure memory before it is onlined and deconfigure what is to stay
  /// offline, and numbers all steps. Warns of dax devices that rules call `system-ram` and that
  /// kmem cannot take now, and of rules whose memory is selected by others first. An error if free
  /// kernel memory cannot hold the memory map.
  void add_steps(Allocation& allocation, const source::SourceSet& files, std::vector<Step>& steps,
                 diag::Sink& sink) const;

  /// The host after all steps, `outcome` unless there is memory to configure. An error if the model
  /// refuses a step.
  [[nodiscard]] model::Host proved(const std::vector<Step>& steps, model::Host outcome,
                                   diag::Sink& sink) const;

 private:
  [[nodiscard]] model::BlockSet reached_by(const Group& group) const;
  void warn_of_refused(diag::Sink& sink) const;
  void warn_of_taken(const source::SourceSet& files, diag::Sink& sink) const;
  void add_configuration(const model::BlockRange& blocks, const Step& online,
                         std::vector<Step>& steps, model::BlockSet& left) const;
  /// False, with an error: free kernel memory is too small for the memory map of a step's blocks.
  [[nodiscard]] bool has_room(const std::vector<Step>& steps, diag::Sink& sink) const;
  [[nodiscard]] model::Bytes cost_of(const ConfigureBlocks& config) const;
  void hold_setting(std::vector<Step>& steps) const;
  [[nodiscard]] std::optional<bool> wanted_map(const model::BlockRange& blocks) const;
  void give_back(Allocation& allocation, const source::SourceSet& files,
                 std::vector<Step>& steps) const;

  const sema::FlatPolicy& policy_;
  const model::Host& host_;
  Work& work_;
  std::optional<model::Host> with_;
  model::BlockSet without_blocks_;  ///< memory without blocks that with_ has blocks for
  /// Memory without blocks that a rule selects which does not name `standby` or `system-ram`.
  struct Taken {
    const sema::Rule* by = nullptr;
    model::BlockSet blocks;
  };
  std::vector<Taken> taken_;
  std::set<const sema::Rule*> answered_;  ///< rules that such memory was left for
  model::BlockSet named_;  ///< configured blocks that a rule selects that names `standby`
};

}  // namespace memonline::plan
