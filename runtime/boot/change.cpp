// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/boot/change.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace memonline::boot {

namespace {

using diag::Code;

class FileTransaction {
 public:
  FileTransaction(const Survey& survey, const Root& root, const Runner& run, diag::Sink& sink)
      : survey_(survey),
        root_(root),
        run_(run),
        sink_(sink),
        old_state_(root.read(kStatePath)),
        made_(survey.state.made) {}

  bool all() {
    if (prepare() && write() && run() && read_back() && finish()) return true;
    revert();
    return false;
  }

 private:
  [[nodiscard]] std::string name() const { return std::string(survey_.back_end->name()); }

  /// Writes the state before the first change: `pending` says that the rest may be missing.
  bool prepare() {
    if (!make_directories(kStatePath)) return false;
    for (const Edit& edit : survey_.change.edits) {
      if (!edit.after) continue;
      for (std::string& directory : root_.missing_directories(edit.path))
        now_made_.push_back(std::move(directory));
      if (!edit.before) now_made_.push_back(edit.path);
    }
    State state{name(), {}, true, made_, survey_.predicted};
    for (const std::string& path : now_made_)
      if (!holds(state.made, path)) state.made.push_back(path);
    if (survey_.back_end->remembers()) {
      state.words = survey_.view.own;
      for (const std::string& word : without(survey_.words, survey_.view.own))
        state.words.push_back(word);
    }
    made_ = state.made;
    return put(kStatePath, to_json(state));
  }

  bool make_directories(const std::string& path) {
    Words missing = root_.missing_directories(path);
    if (auto made = root_.make_directories(path); !made) return refused(made.error());
    for (std::string& directory : missing)
      if (!holds(now_made_, directory)) now_made_.push_back(std::move(directory));
    return true;
  }

  bool write() {
    for (const Edit& edit : survey_.change.edits) {
      ++written_;
      if (edit.after && !make_directories(edit.path)) return false;
      if (!put(edit.path, edit.after)) return false;
    }
    return true;
  }

  bool run() {
    for (const Command& command : survey_.change.commands) {
      ++begun_;
      const ToolResult ran = run_(command.argv);
      if (ran.status != 0) {
        const std::string said = last_lines(ran.errors.empty() ? ran.output : ran.errors, 3);
        auto& d = sink_.add(Code::BootToolFailed, std::nullopt,
                            fmt::format("`{}` failed with exit status {}{}{}", joined(command.argv),
                                        ran.status, said.empty() ? "" : ": ", said));
        d.notes.emplace_back("the files written before it have their old contents again");
        return false;
      }
      ++ran_;
    }
    return true;
  }

  bool read_back() {
    if (!survey_.whole) return true;
    State state = survey_.state;
    if (survey_.back_end->remembers()) state.words = survey_.words;
    const auto after = survey_.back_end->view(state);
    std::string what;
    if (!after) {
      what = after.error();
    } else {
      const Words missing = without(survey_.words, after->everywhere);
      const Words gone = without(without(survey_.view.own, survey_.words), after->others);
      const Words left = without(gone, without(gone, after->somewhere));
      if (!missing.empty())
        what = fmt::format("`{}` is missing", joined(missing));
      else if (!left.empty())
        what = fmt::format("`{}` is still set", joined(left));
      else if (after->own != survey_.words)
        what = fmt::format("memonline's parameters are `{}`", joined(after->own));
    }
    if (what.empty()) return true;
    sink_.add(Code::BootNotTaken, std::nullopt,
              fmt::format("{} did not apply the change: {}", survey_.back_end->name(), what));
    return false;
  }

  bool finish() {
    if (survey_.words.empty()) {
      // Before the state, which lists them, is removed; then the directories of the state itself.
      remove_directories(made_);
      if (!put(kStatePath, std::nullopt)) return false;
      remove_directories(made_);
      return true;
    }
    State state{name(), {}, false, made_, survey_.predicted};
    if (survey_.back_end->remembers()) state.words = survey_.words;
    return put(kStatePath, to_json(state));
  }

  /// Ignores further errors: the remedy is that of the first one.
  void revert() {
    for (std::size_t i = written_; i-- > 0;) {
      const Edit& edit = survey_.change.edits[i];
      (void)root_.put(edit.path, edit.before);
    }
    const auto& commands = survey_.change.commands;
    // The command that failed may have done a part; it does not matter if it fails again.
    const std::size_t touched = std::min(commands.size(), ran_ + (begun_ > ran_ ? 1 : 0));
    bool undone = true;
    bool older = written_ > 0;  // files were restored after the tools read them
    for (std::size_t i = touched; i-- > 0;)
      if (const Words& undo = commands[i].undo; !undo.empty()) {
        undone = (run_(undo).status == 0 || i >= ran_) && undone;
        older = true;
      }
    // Tools that make their files from ours have read the new text: they run again, after
    // everything that they read has its old contents.
    for (std::size_t i = 0; i < touched && older; ++i)
      if (commands[i].undo.empty())
        undone = (run_(commands[i].argv).status == 0 || i >= ran_) && undone;
    if (!undone) return;  // the state says that a change is pending, and the next run continues
    (void)root_.put(kStatePath, old_state_);
    remove_directories(now_made_);
  }

  void remove_directories(const Words& paths) const {
    for (auto path = paths.rbegin(); path != paths.rend(); ++path) root_.remove_directory(*path);
  }

  bool put(const std::string& path, const std::optional<std::string>& text) {
    const auto done = root_.put(path, text);
    return done ? true : refused(done.error());
  }

  bool refused(const runtime::FileError& error) {
    sink_.add(Code::BootUnwritable, std::nullopt, error.message()).help =
        "on an image-based system, change the image; in a container, run it on the host";
    return false;
  }

  const Survey& survey_;
  const Root& root_;
  const Runner& run_;
  diag::Sink& sink_;
  std::optional<std::string> old_state_;
  Words made_;
  Words now_made_;
  std::size_t written_ = 0;
  std::size_t begun_ = 0;
  std::size_t ran_ = 0;
};

}  // namespace

namespace {

bool change_one(const Survey& survey, const Root& root, const Runner& run, diag::Sink& sink) {
  if (!survey.pending) return true;
  if (!survey.back_end) {
    if (survey.words.empty()) return true;
    sink.add(Code::NoBootLoader, std::nullopt, "no supported boot loader found").help =
        fmt::format("add `{}` to the kernel command line by hand", joined(survey.words));
    return false;
  }
  return FileTransaction(survey, root, run, sink).all();
}

}  // namespace

bool carry_out(const Survey& survey, const Root& root, const Runner& run, std::string_view arch,
               diag::Sink& sink) {
  if (survey.leftovers.empty()) return change_one(survey, root, run, sink);
  for (const Survey& leftover : survey.leftovers)
    if (!change_one(leftover, root, run, sink)) return false;
  // The old loader's tool may have changed lines that the new one reads; they were reported before.
  diag::Sink said;
  const auto again = boot::survey(root, run, {survey.wished, survey.predicted}, arch, said);
  if (again) return change_one(*again, root, run, sink);
  sink.append(said);
  return false;
}

}  // namespace memonline::boot
