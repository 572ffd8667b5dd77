// SPDX-License-Identifier: LGPL-2.1-or-later
// The target of the service: this machine, or a kernel model of one, for developing clients and for
// testing the bus without root and without spare memory.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>

#include "compiler/base/result.hpp"
#include "compiler/model/host.hpp"
#include "runtime/apply/model_port.hpp"
#include "runtime/apply/session.hpp"
#include "runtime/host/read_host.hpp"

namespace memonline::service {

class Target {
 public:
  Target() = default;
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;
  virtual ~Target() = default;

  /// Reads the current state. Any thread may call it.
  virtual Result<model::Host, runtime::HostError> read() = 0;
  /// Takes the lock: no other run changes memory while the session exists.
  virtual Result<apply::Session, std::variant<runtime::FileError, apply::Held>> begin(
      std::chrono::milliseconds patience) = 0;
  /// The machine without the lock: for writes that cannot wait until it is free.
  virtual Result<std::unique_ptr<apply::MemoryPort>, runtime::FileError> port() = 0;
  /// The number of the last uevent, 0 if it cannot be read. Any thread may call it.
  [[nodiscard]] std::uint64_t uevent_seqnum() const;
  /// Below which /run and udev's rules are; "/" for this machine.
  [[nodiscard]] virtual std::string root() const = 0;
  /// The directory of recovery journals and previous kernel settings: /run/memonline.
  [[nodiscard]] virtual std::string run_directory() const = 0;
  /// A file in it that exists while the service runs (runtime/host/read_host.hpp).
  [[nodiscard]] std::string service_sign() const { return run_directory() + "/service"; }
};

/// Sysfs below `root`.
std::unique_ptr<Target> this_machine(std::string root);

/// A kernel model, whose writes take `latency`. Its /run/memonline is below `directory`.
std::unique_ptr<Target> simulated(std::shared_ptr<apply::SharedModel> kernel, std::string directory,
                                  std::chrono::milliseconds latency);

}  // namespace memonline::service
