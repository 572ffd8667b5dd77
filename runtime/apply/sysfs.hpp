// SPDX-License-Identifier: LGPL-2.1-or-later
// The real kernel behind MemoryPort: /sys/devices/system/memory and the parameters of
// memory_hotplug, below a root.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "compiler/base/result.hpp"
#include "runtime/apply/port.hpp"
#include "runtime/base/file.hpp"

namespace memonline::apply {

/// The result of a write of `size` bytes as an errno; `error` is the one of a write that
/// failed. 4.4 and RHEL 7 take one byte if the block is already in the desired state, where later
/// kernels return EINVAL (store_mem_state(), drivers/base/memory.c).
constexpr int answer_of(std::ptrdiff_t written, std::size_t size, int error) noexcept {
  if (written < 0) return error;
  return static_cast<std::size_t>(written) == size ? 0 : EINVAL;
}

class Sysfs final : public MemoryPort {
 public:
  /// Opens the directories below `root`. An error if the kernel has no memory hotplug, if /sys is
  /// not a sysfs (a captured tree is never written), or if it is mounted read-only.
  static Result<Sysfs, runtime::FileError> open(const std::string& root);
  Sysfs(Sysfs&& other) noexcept;
  Sysfs& operator=(Sysfs&&) = delete;
  ~Sysfs() override;

  int write_state(BlockId block, std::string_view word) noexcept override;
  BlockView look(BlockId block) noexcept override;
  int write_knob(model::Knob knob, std::string_view value) noexcept override;
  KnobView read_knob(model::Knob knob) noexcept override;
  int wait_for_adds(BlockId online_block) noexcept override;
  int probe(std::uint64_t address) noexcept override;
  int write_standby(BlockId block, StandbyFile file, bool value) noexcept override;
  StandbyView look_at_standby(BlockId block) noexcept override;
  int bind_dax(std::string_view device) noexcept override;
  int unbind_dax(std::string_view device) noexcept override;
  int eject_dimm(std::uint32_t number) noexcept override;
  int reclaim(plan::Reclaim what) noexcept override;
  std::optional<std::uint64_t> free_memory(unsigned order) noexcept override;
  [[nodiscard]] Clock::time_point now() noexcept override { return Clock::now(); }
  void pause(std::chrono::milliseconds time) noexcept override;

 private:
  explicit Sysfs(int memory) : memory_(memory) {}
  [[nodiscard]] int directory_of(model::Knob knob) const;

  int memory_;                     ///< sys/devices/system/memory
  int dax_ = -1;                   ///< sys/bus/dax, -1 without CONFIG_DAX
  int acpi_ = -1;                  ///< sys/bus/acpi/devices, -1 without ACPI
  int standby_ = -1;               ///< sys/firmware/memory, -1 but on s390x from 6.19 on
  int parameters_ = -1;            ///< sys/module/memory_hotplug/parameters, -1 before 5.14
  int proc_ = -1;                  ///< proc
  bool zones_tell_state_ = false;  ///< one name in valid_zones is an online block's
};

}  // namespace memonline::apply
