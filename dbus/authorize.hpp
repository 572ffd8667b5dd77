// SPDX-License-Identifier: LGPL-2.1-or-later
// Authorization of callers. polkit is queried without blocking. It is not queried for root, which
// it always authorizes: root may need memory when polkit is down.
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

/// A query to polkit. The message of the action may contain the details as $(key), and an
/// administrator's polkit rule may use them.
struct Question {
  std::string action;
  std::map<std::string, std::string> details = {};
};

class Authority {
 public:
  /// Called if a caller turns out to have left the bus before it was watched.
  using Gone = std::function<void(const std::string& connection)>;
  Authority(sdbus::IConnection& connection, Gone gone);
  /// The caller's uid, or why it is not authorized. Called later, in the loop's thread.
  using Verdict = std::function<void(Result<std::uint32_t, sdbus::Error>)>;
  struct Identity {
    std::uint32_t uid = 0;
    std::optional<std::uint32_t> pid;
  };
  using Identified = std::function<void(Result<Identity, sdbus::Error>)>;
  /// Identifies a caller: AccessDenied if the bus cannot, TimedOut if it does not reply. At once if
  /// the connection has called before: the bus never reuses its name.
  void identify(const std::string& connection, const Identified& identified);
  /// The identity of a connection that has called before; valid until the next call.
  [[nodiscard]] const Identity* known(const std::string& connection) const;
  /// The same with its groups.
  using Known = std::function<void(Result<policy::Credentials, sdbus::Error>)>;
  void credentials(const Caller& caller, Known known);
  /// For a known uid: AccessDenied, or InteractiveAuthorizationRequired if interaction could help
  /// and the caller did not allow it.
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
  static constexpr std::size_t kMaxRemembered = 1024;
  std::unique_ptr<sdbus::IProxy> bus_, polkit_;
  Gone gone_;
  /// One allocation: after a burst of requests, many small ones would pin as many pages.
  std::vector<Remembered> remembered_;
  std::size_t next_ = 0;  ///< the one to replace
  /// The requests that wait until the bus has identified their connection: it is queried once.
  std::map<std::string, std::vector<Identified>> waiting_;
};

}  // namespace memonline::bus
