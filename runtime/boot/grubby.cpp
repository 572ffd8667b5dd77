// SPDX-License-Identifier: LGPL-2.1-or-later
// Fedora, RHEL and their like: grubby edits every boot entry, and what later kernels inherit.
// `--args=K=V` drops other values of K first and `--remove-args=K` drops all of them: so keys are
// always given with their value, and never if others set them (change.cpp).
#include "runtime/boot/back_end.hpp"

namespace memonline::boot {

namespace {

class Grubby final : public BackEnd {
 public:
  using BackEnd::BackEnd;
  [[nodiscard]] std::string_view name() const override { return "grubby"; }
  [[nodiscard]] bool remembers() const override { return true; }

  [[nodiscard]] Result<View, std::string> view(const State& state) const override {
    const ToolResult ran = run({tool("grubby"), "--info=ALL"});
    if (ran.status != 0) return fail("`grubby --info=ALL`: " + last_lines(ran.errors, 3));
    View view;
    view.own = state.words;
    take_lines(view, lines_of(ran.output));
    view.others = without(view.somewhere, view.own);
    return view;
  }

  [[nodiscard]] Result<Change, std::string> change(const View& view, const State& /*state*/,
                                                   const Words& words) const override {
    const Words gone = without(view.own, words);
    const Words more = without(words, view.everywhere);
    Change change;
    if (!gone.empty() || !more.empty())
      change.commands.push_back({update(gone, more), update(more, gone)});
    // On s390x the boot record is written from the entries.
    if (root().tool("zipl")) change.commands.push_back({{tool("zipl")}, {}});
    return change;
  }

 private:
  [[nodiscard]] Words update(const Words& gone, const Words& more) const {
    Words argv{tool("grubby"), "--update-kernel=ALL"};
    if (!gone.empty()) argv.push_back("--remove-args=" + joined(gone));
    if (!more.empty()) argv.push_back("--args=" + joined(more));
    return argv;
  }

  /// The values of `args="..."`; quotes inside are not escaped.
  static std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    const std::string name = "args=\"";
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      const std::string line = text.substr(at, end - at);
      const std::size_t last = line.rfind('"');
      if (line.rfind(name, 0) == 0 && last != std::string::npos && last >= name.size())
        lines.push_back(line.substr(name.size(), last - name.size()));
      at = end + 1;
    }
    return lines;
  }
};

}  // namespace

BackEndPtr find_grubby(const Root& root, const Runner& run, Detect detect) {
  if (detect == Detect::No) return std::make_unique<Grubby>(root, run);
  if (!root.tool("grubby")) return nullptr;
  return std::make_unique<Grubby>(root, run);
}

}  // namespace memonline::boot
