// SPDX-License-Identifier: LGPL-2.1-or-later
// May this caller do that? polkit is asked, and never waited for. Root is not asked for: polkit
// always says yes to it, and memory may be needed where polkit is not up.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "compiler/base/result.hpp"
#include "dbus/compat.hpp"
#include "runtime/policy/readable.hpp"

namespace memonline::bus {

namespace actions {
inline constexpr auto kApply = "org.memonline1.apply";
inline constexpr auto kUndo = "org.memonline1.undo";
inline constexpr auto kReload = "org.memonline1.reload";
inline constexpr auto kManageBoot = "org.memonline1.manage-boot-parameters";
}  // namespace actions

/// What polkit is asked. The message of the action may name the details as $(key), and a rule of an
/// administrator may look them up.
struct Question {
  std::string action;
  std::map<std::string, std::string> details = {};
};

class Authority {
 public:
  explicit Authority(sdbus::IConnection& connection);
  /// The caller's uid, or why it may not. Comes later, in the loop's thread.
  using Verdict = std::function<void(Result<std::uint32_t, sdbus::Error>)>;
  struct Identity {
    std::uint32_t uid = 0;
    std::optional<std::uint32_t> pid;
  };
  using Identified = std::function<void(Result<Identity, sdbus::Error>)>;
  /// Who it is; AccessDenied where the bus cannot tell, TimedOut where it does not answer.
  void identify(const Caller& caller, const Identified& identified);
  /// The same with its groups.
  using Known = std::function<void(Result<policy::Credentials, sdbus::Error>)>;
  void credentials(const Caller& caller, Known known);
  /// Of one whose uid is known: AccessDenied, or InteractiveAuthorizationRequired where asking the
  /// user could help and the caller did not allow it.
  void ask(const Caller& caller, std::uint32_t uid, const Question& question,
           const Verdict& verdict);

 private:
  void identify(const std::string& name, unsigned tries, const Identified& identified);
  void add_process(const std::string& name, std::uint32_t uid, const Identified& identified);
  void ask_polkit(const Caller& caller, std::uint32_t uid, const Question& question,
                  Verdict verdict);

  std::unique_ptr<sdbus::IProxy> bus_, polkit_;
};

}  // namespace memonline::bus
