// SPDX-License-Identifier: LGPL-2.1-or-later
// May this caller do that? polkit is asked, and never waited for. Root is not asked for: polkit
// always says yes to it, and memory may be needed where polkit is not up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

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
  /// Called where a caller turns out to have left the bus before anything watched it.
  using Gone = std::function<void(const std::string& connection)>;
  Authority(sdbus::IConnection& connection, Gone gone);
  /// The caller's uid, or why it may not. Comes later, in the loop's thread.
  using Verdict = std::function<void(Result<std::uint32_t, sdbus::Error>)>;
  struct Identity {
    std::uint32_t uid = 0;
    std::optional<std::uint32_t> pid;
  };
  using Identified = std::function<void(Result<Identity, sdbus::Error>)>;
  /// Who it is; AccessDenied where the bus cannot tell, TimedOut where it does not answer. At once
  /// where the connection has called before: its name on the bus is never given to another.
  void identify(const std::string& connection, const Identified& identified);
  /// Who it is if it has called before; valid until the next call.
  [[nodiscard]] const Identity* known(const std::string& connection) const;
  /// The same with its groups.
  using Known = std::function<void(Result<policy::Credentials, sdbus::Error>)>;
  void credentials(const Caller& caller, Known known);
  /// Of one whose uid is known: AccessDenied, or InteractiveAuthorizationRequired where asking the
  /// user could help and the caller did not allow it.
  void ask(const Caller& caller, std::uint32_t uid, const Question& question,
           const Verdict& verdict);

 private:
  void ask_bus(const std::string& name, unsigned tries);
  void identified(const std::string& name, const Result<Identity, sdbus::Error>& who);
  void remember(const std::string& name, const Identity& identity);
  void check_presence(const std::string& name);
  void ask_polkit(const Caller& caller, std::uint32_t uid, const Question& question,
                  Verdict verdict);

  struct Remembered {
    std::string name;  ///< on the bus, ":1.42": short enough to take no memory of its own
    Identity identity;
  };
  static constexpr std::size_t kMostRemembered = 1024;
  std::unique_ptr<sdbus::IProxy> bus_, polkit_;
  Gone gone_;
  /// In one piece: after a burst of requests, many small ones would keep as many pages.
  std::vector<Remembered> remembered_;
  std::size_t next_ = 0;  ///< the one to replace
  /// Who waits for the bus to identify a connection: it is asked once.
  std::map<std::string, std::vector<Identified>> waiting_;
};

}  // namespace memonline::bus
