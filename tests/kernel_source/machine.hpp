// SPDX-License-Identifier: LGPL-2.1-or-later
// One machine twice: the kernel's own code and the kernel model. Each operation is done to both,
// and what they show afterwards is compared.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/kernel/model.hpp"
#include "tests/kernel_source/sequence.hpp"

namespace memonline::kernel_source {

class Machine {
 public:
  Machine(const ks_api& kernel, const Boot& boot);

  /// Does the operation to both. What differs in the answers, or empty. `steps` counts the blocks
  /// written.
  std::optional<std::string> perform(const Operation& operation, std::uint64_t& steps);
  /// What differs in zones, nodes and `valid_zones`: of all blocks, or of those in [low, high] and
  /// a few others.
  std::optional<std::string> compare_all() const;
  std::optional<std::string> compare(std::uint64_t low, std::uint64_t high, Random& random) const;

  /// Ascending.
  [[nodiscard]] const std::vector<std::uint64_t>& existing() const { return existing_; }
  /// What a reader finds: the kernel's facts as a host, as memonline reads it.
  [[nodiscard]] model::Host host() const;

 private:
  /// A device whose blocks form a group, on both sides.
  struct Added {
    Device kind = Device::Unknown;
    int node = 0;
    int group = -1;              ///< the kernel's
    std::uint32_t in_model = 0;  ///< the model's
    std::uint64_t blocks = 0;    ///< present
    int unit = -1;
  };
  std::optional<std::string> write(const Operation& operation, std::uint64_t& steps);
  std::optional<std::string> add(const Operation& operation);
  std::optional<std::string> remove(const Operation& operation);
  std::optional<std::string> set(const Operation& operation);
  void reread();
  std::size_t device_for(const Operation& operation);
  [[nodiscard]] std::optional<std::string> compare_block(std::uint64_t block) const;
  [[nodiscard]] std::optional<std::string> compare_zones() const;
  [[nodiscard]] std::optional<std::string> compare_node(int node) const;

  const ks_api& kernel_;
  Boot boot_;
  std::vector<Added> devices_;          ///< by what device_of_ names; [0] is boot memory
  std::vector<std::size_t> device_of_;  ///< by block
  std::vector<std::uint64_t> existing_;
  model::Knobs knobs_;
  std::optional<kernel::Model> model_;
  /// Once a zone has grown over a block that it shares, the host does not show any more whose its
  /// pages are.
  bool written_ = false;
  bool shared_blocks_ = false;
};

}  // namespace memonline::kernel_source
