// SPDX-License-Identifier: LGPL-2.1-or-later
// What the executor needs of a kernel, in small calls. They are implemented by the machine's sysfs
// (sysfs.hpp), and in unit tests by the kernel model. Nothing here allocates, and every answer is
// an errno, so that it works when memory is short.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string_view>

#include "compiler/model/host.hpp"
#include "compiler/model/knob.hpp"
#include "compiler/plan/plan.hpp"

namespace memonline::apply {

using model::BlockId;

/// The kernel's monotonic clock as of its last tick (at most 10 ms ago). Deadlines are seconds, and
/// on machines whose time source is slow to read, reading it for each block costs more than the
/// rest of our part.
struct Clock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<Clock>;
  // NOLINTNEXTLINE(readability-identifier-naming): std::chrono asks for this name
  static constexpr bool is_steady = true;
  static constexpr std::chrono::milliseconds kTick{10};
  static time_point now() noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return time_point(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
  }
};

/// What the files of one block say.
struct BlockView {
  int error = 0;  ///< errno of reading `state`; the rest is meaningful if 0
  model::State state = model::State::Unknown;
  model::ValidZones zones;  ///< Unknown before 3.18, which lacks the file
};

/// What the files of one block of standby memory say (s390x, 6.19+: /sys/firmware/memory/memoryN).
struct StandbyView {
  int error = 0;  ///< errno of reading `config`; the rest is meaningful if 0
  bool configured = false;
  bool own_map = false;  ///< `memmap_on_memory`
};
enum class StandbyFile : std::uint8_t { Config, MemmapOnMemory };

/// The value of a kernel setting, without its newline.
struct KnobView {
  int error = 0;
  std::array<char, 32> text{};
  std::size_t size = 0;
  [[nodiscard]] std::string_view value() const { return {text.data(), size}; }
};

class MemoryPort {
 public:
  MemoryPort() = default;
  MemoryPort(const MemoryPort&) = delete;
  MemoryPort& operator=(const MemoryPort&) = delete;
  virtual ~MemoryPort() = default;

  /// Writes `word` into the block's `state`: 0 or errno. What 4.4 and RHEL 7 answer for a block
  /// that is in this state already, a short write, is EINVAL as everywhere else.
  virtual int write_state(BlockId block, std::string_view word) noexcept = 0;
  virtual BlockView look(BlockId block) noexcept = 0;
  /// A kernel setting that can_be_set(): 0 or errno.
  virtual int write_knob(model::Knob knob, std::string_view value) noexcept = 0;
  virtual KnobView read_knob(model::Knob knob) noexcept = 0;
  /// Returns when no memory is being added: takes the kernel's device_hotplug_lock once, by
  /// writing 1 to the `online` file of a block that is online (online_store(),
  /// drivers/base/core.c).
  virtual int wait_for_adds(BlockId online_block) noexcept = 0;
  /// Adds one block through `probe`.
  virtual int probe(std::uint64_t address) noexcept = 0;

  /// Standby memory: 0 or errno. Other kernels have none.
  virtual int write_standby(BlockId block, StandbyFile file, bool value) noexcept = 0;
  virtual StandbyView look_at_standby(BlockId block) noexcept = 0;
  /// Binds a dax device to the driver kmem, which adds its blocks, or unbinds it, which removes
  /// them: 0 or errno. Unbind only if all of them are offline: otherwise they cannot be removed
  /// before the next boot (dev_dax_kmem_remove(), drivers/dax/kmem.c; kernel rule 9.12).
  virtual int bind_dax(std::string_view device) noexcept = 0;
  virtual int unbind_dax(std::string_view device) noexcept = 0;
  /// Ejects a DIMM whose blocks are all offline: 0 or errno. The kernel removes the blocks a little
  /// later (acpi_device_hotplug(), drivers/acpi/scan.c; kernel rule 9.13).
  virtual int eject_dimm(std::uint32_t number) noexcept = 0;

  /// Reclaims memory of the whole machine, or compacts it: 0 or errno. May take minutes (kernel
  /// rule 11.7).
  virtual int reclaim(plan::Reclaim what) noexcept = 0;
  /// Bytes that are free in areas of at least 2^order pages, or of the largest order that the
  /// kernel has, as /proc/buddyinfo says; empty: unknown.
  virtual std::optional<std::uint64_t> free_memory(unsigned order) noexcept = 0;

  [[nodiscard]] virtual Clock::time_point now() noexcept = 0;
  /// May return early when a signal comes.
  virtual void pause(std::chrono::milliseconds time) noexcept = 0;
};

}  // namespace memonline::apply
