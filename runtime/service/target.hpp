// SPDX-License-Identifier: LGPL-2.1-or-later
// What the service keeps: this machine, or a kernel model of one, with which clients can be
// developed and the bus be tested without root and without memory to spare.
#pragma once

#include <chrono>
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

  /// As it is now. Called from any thread.
  virtual Result<model::Host, runtime::HostError> read() = 0;
  /// Takes the lock: nobody else changes memory while the session lives.
  virtual Result<apply::Session, std::variant<runtime::FileError, apply::Held>> begin(
      std::chrono::milliseconds patience) = 0;
  /// The machine without the lock: for what cannot wait until it is free.
  virtual Result<std::unique_ptr<apply::MemoryPort>, runtime::FileError> port() = 0;
  /// Below which /run and udev's rules are; "/" for this machine.
  [[nodiscard]] virtual std::string root() const = 0;
  /// Where switches and journals are written down: /run/memonline.
  [[nodiscard]] virtual std::string run_directory() const = 0;
  /// Below it, there while the service runs (runtime/host/read_host.hpp).
  [[nodiscard]] std::string service_sign() const { return run_directory() + "/service"; }
};

/// Sysfs below `root`.
std::unique_ptr<Target> this_machine(std::string root);

/// A kernel model, which answers a write after `latency`. Its /run/memonline is below `directory`.
std::unique_ptr<Target> simulated(std::shared_ptr<apply::SharedModel> kernel, std::string directory,
                                  std::chrono::milliseconds latency);

}  // namespace memonline::service
