// SPDX-License-Identifier: LGPL-2.1-or-later
// Which rules match an event on this host, such as "add" of a memory block, of a node or of a dax
// device. Facts that only a running udev has are neither true nor false.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "compiler/model/host.hpp"
#include "runtime/host/tree.hpp"
#include "runtime/host/udev_rules.hpp"

namespace memonline::runtime {

enum class Truth : std::uint8_t { No, Perhaps, Yes };

/// One event passed through all files: later rules see what a rule sets.
class UdevEvent {
 public:
  struct Kind {
    std::string_view subsystem;  ///< memory, node, dax, nd, cxl; or one without any memory
    std::string_view action;     ///< add, change, online, offline
  };
  /// `tree`: where programs are; may be nullptr. `setting`: auto_online_blocks; empty: unknown.
  UdevEvent(Kind kind, const model::Host& host, const Tree* tree,
            std::optional<std::string> setting)
      : kind_(kind), host_(host), tree_(tree), setting_(std::move(setting)) {}

  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] bool of_memory() const { return kind_.subsystem == "memory"; }
  /// Whether the device has systemd's tag, without which SYSTEMD_WANTS has no effect.
  [[nodiscard]] bool tagged() const { return tagged_; }

  /// Whether the rule applies. Its PROGRAM is run, and what it assigns is remembered.
  Truth apply(const UdevRule& rule);

  /// The possible meanings of `value`, with "$env{x}" and "$result" filled in. Empty: unknown.
  [[nodiscard]] std::set<std::string> values_of(std::string_view value) const;
  /// The unit of SYSTEMD_WANTS: "%c" is replaced by the template in PROGRAM.
  [[nodiscard]] std::string unit_of(const std::string& value) const;

 private:
  [[nodiscard]] Truth holds(const UdevPart& part) const;
  [[nodiscard]] std::optional<std::string> fact(const UdevPart& part) const;
  [[nodiscard]] std::optional<std::string> attribute(const UdevPart& part) const;
  [[nodiscard]] bool lacks_attribute(const UdevPart& part) const;
  [[nodiscard]] Truth environment(const UdevPart& part) const;
  [[nodiscard]] Truth kernel_name(const UdevPart& part) const;
  [[nodiscard]] Truth subsystems(const UdevPart& part) const;
  [[nodiscard]] Truth test(const UdevPart& part) const;
  Truth program(const UdevPart& part);
  void assign(const UdevPart& part, Truth truth);

  Kind kind_;
  const model::Host& host_;
  const Tree* tree_;
  std::optional<std::string> setting_;
  std::map<std::string, std::set<std::string>> env_;   ///< what rules set; several: any of them
  std::optional<std::string> result_ = std::string();  ///< of the last PROGRAM; empty: unknown
  std::string command_;                                ///< the last PROGRAM
  bool tagged_ = false;
};

}  // namespace memonline::runtime
