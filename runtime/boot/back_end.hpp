// SPDX-License-Identifier: LGPL-2.1-or-later
// One back end per boot loader family: where its command line is, and which files and tools change
// it. A back end changes nothing; it describes the change (change.hpp makes it).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/base/result.hpp"
#include "runtime/boot/files.hpp"
#include "runtime/boot/state.hpp"
#include "runtime/boot/tool.hpp"
#include "runtime/boot/words.hpp"

namespace memonline::boot {

/// The parameters of the next boot, according to the loader's files and tools.
struct View {
  Words own;                ///< ours: from our own file or source, else from the state
  Words others;             ///< set by others
  Words somewhere;          ///< in at least one of the entries that are there
  Words everywhere;         ///< in all that should have them
  std::size_t longest = 0;  ///< bytes of the longest line
};

struct Edit {
  std::string path;
  std::optional<std::string> before;  ///< empty: the file does not exist
  std::optional<std::string> after;   ///< empty: it is removed
};
struct Command {
  Words argv;
  Words undo;  ///< reverts it; empty: run again, once what it reads is restored
};
struct Change {
  std::vector<Edit> edits;
  std::vector<Command> commands;
};

class BackEnd {
 public:
  BackEnd(const Root& root, const Runner& run) : root_(root), run_(run) {}
  virtual ~BackEnd() = default;
  BackEnd(const BackEnd&) = delete;
  BackEnd& operator=(const BackEnd&) = delete;

  [[nodiscard]] virtual std::string_view name() const = 0;
  /// True if no file or source is ours alone, so that the state must store our words.
  [[nodiscard]] virtual bool remembers() const = 0;
  /// The error names the tool or file that failed.
  [[nodiscard]] virtual Result<View, std::string> view(const State& state) const = 0;
  /// From `view` to exactly `words` of ours. Also correct if a killed run did a part of it.
  [[nodiscard]] virtual Result<Change, std::string> change(const View& view, const State& state,
                                                           const Words& words) const = 0;

 protected:
  [[nodiscard]] const Root& root() const { return root_; }
  [[nodiscard]] ToolResult run(const Words& argv) const { return run_(argv); }
  [[nodiscard]] std::string tool(std::string_view name) const {
    return root_.tool(name).value_or(std::string(name));
  }

 private:
  const Root& root_;
  const Runner& run_;
};

/// The words of `words` that are not in `taken`.
Words without(const Words& words, const Words& taken);
/// Fills `somewhere`, `everywhere` and `longest` of `view` from the lines of all entries.
void take_lines(View& view, const std::vector<std::string>& lines);

using BackEndPtr = std::unique_ptr<BackEnd>;
/// No: also if the root no longer has this loader.
enum class Detect : std::uint8_t { Yes, No };
BackEndPtr find_bootc(const Root& root, const Runner& run, Detect detect);
BackEndPtr find_sdbootutil(const Root& root, const Runner& run, Detect detect);
BackEndPtr find_grub_drop_in(const Root& root, const Runner& run, Detect detect);
BackEndPtr find_rpm_ostree(const Root& root, const Runner& run, Detect detect);
BackEndPtr find_grubby(const Root& root, const Runner& run, Detect detect);
BackEndPtr find_perl_bootloader(const Root& root, const Runner& run, Detect detect);
BackEndPtr find_kernel_install(const Root& root, const Runner& run, Detect detect);
BackEndPtr find_zipl(const Root& root, const Runner& run, Detect detect);

/// The first of these that the root has; null if it has no supported one. `root` and `run` must
/// outlive it.
BackEndPtr find_back_end(const Root& root, const Runner& run);
/// The one with this name, whether the root has it or not; null for an unknown name.
BackEndPtr back_end_named(std::string_view name, const Root& root, const Runner& run);

}  // namespace memonline::boot
