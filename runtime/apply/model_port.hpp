// SPDX-License-Identifier: LGPL-2.1-or-later
// The kernel model behind MemoryPort: a simulated machine. The service's simulation and the tests
// write to it as they would to sysfs.
#pragma once

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "compiler/kernel/model.hpp"
#include "runtime/apply/port.hpp"

namespace memonline::apply {

/// One kernel model for several threads and ports.
class SharedModel {
 public:
  explicit SharedModel(const model::Host& host);
  /// With what is in use, as far as it follows from the writes.
  [[nodiscard]] model::Host host() const;
  /// The model itself, for a caller that does not share it.
  [[nodiscard]] const kernel::Model& model() const { return model_; }
  /// As the kernel answers a write of `state`: 0 or errno.
  int write_state(BlockId block, std::string_view word);
  /// From now on a write of `state` to this block answers `error`; 0: it is done again.
  void refuse(BlockId block, int error);
  int write_knob(model::Knob knob, const std::string& value);
  [[nodiscard]] KnobView read_knob(model::Knob knob) const;
  [[nodiscard]] BlockView look(BlockId block) const;
  /// As the kernel answers a write below /sys/firmware/memory (drivers/s390/char/sclp_mem.c).
  int write_standby(BlockId block, StandbyFile file, bool value);
  [[nodiscard]] StandbyView look_at_standby(BlockId block) const;
  /// As the ACPI device answers a write to `eject`: removes the DIMM's blocks.
  int eject_dimm(std::uint32_t number);
  /// As the bus of dax devices answers a write to `bind` and `unbind` of kmem (drivers/dax/kmem.c).
  int bind_dax(std::string_view device, bool bind);
  /// Hot-adds a DIMM of so many blocks behind all others, and onlines them if
  /// auto_online_blocks says so (add_memory_resource(), mm/memory_hotplug.c); its first block.
  BlockId add_dimm(std::uint64_t blocks, model::NodeId node);

 private:
  mutable std::mutex mutex_;
  const model::Host start_;
  kernel::Model model_;
  std::map<BlockId, int> refusals_;
  std::map<BlockId, bool> own_maps_;  ///< `memmap_on_memory` of standby memory
};

class ModelPort : public MemoryPort {
 public:
  /// Each write of `state` takes `latency`.
  explicit ModelPort(std::shared_ptr<SharedModel> kernel, std::chrono::milliseconds latency = {})
      : kernel_(std::move(kernel)), latency_(latency) {}
  int write_state(BlockId block, std::string_view word) noexcept override;
  BlockView look(BlockId block) noexcept override { return kernel_->look(block); }
  int write_knob(model::Knob knob, std::string_view value) noexcept override {
    return kernel_->write_knob(knob, std::string(value));
  }
  KnobView read_knob(model::Knob knob) noexcept override { return kernel_->read_knob(knob); }
  int wait_for_adds(BlockId) noexcept override { return 0; }
  int probe(std::uint64_t) noexcept override { return ENODEV; }
  int write_standby(BlockId block, StandbyFile file, bool value) noexcept override {
    return kernel_->write_standby(block, file, value);
  }
  StandbyView look_at_standby(BlockId block) noexcept override {
    return kernel_->look_at_standby(block);
  }
  int bind_dax(std::string_view device) noexcept override {
    return kernel_->bind_dax(device, true);
  }
  int unbind_dax(std::string_view device) noexcept override {
    return kernel_->bind_dax(device, false);
  }
  int eject_dimm(std::uint32_t number) noexcept override { return kernel_->eject_dimm(number); }
  int reclaim(plan::Reclaim) noexcept override { return 0; }
  std::optional<std::uint64_t> free_memory(unsigned) noexcept override { return std::nullopt; }
  [[nodiscard]] Clock::time_point now() noexcept override { return Clock::now(); }
  void pause(std::chrono::milliseconds time) noexcept override;

 private:
  std::shared_ptr<SharedModel> kernel_;
  std::chrono::milliseconds latency_;
};

}  // namespace memonline::apply
