// SPDX-License-Identifier: LGPL-2.1-or-later
// bootc on ostree since 2026.1: boot entries record the source of each argument, and the source
// `memonline` is ours. The entry is written at shutdown (a staged deployment): until then only the
// state has the arguments that bootc was given.
#include "runtime/boot/back_end.hpp"
#include "runtime/boot/places.hpp"

namespace memonline::boot {

namespace {

class Bootc final : public BackEnd {
 public:
  using BackEnd::BackEnd;
  [[nodiscard]] std::string_view name() const override { return "bootc"; }
  [[nodiscard]] bool remembers() const override { return true; }

  [[nodiscard]] Result<View, std::string> view(const State& state) const override {
    View view;
    view.own = state.words;
    if (!root().exists(kStatePath))
      for (const std::string& line : entry_lines(root(), "x-options-source-memonline"))
        for (std::string& word : words_of(line))
          if (!holds(view.own, word)) view.own.push_back(std::move(word));
    take_lines(view, entry_lines(root(), "options"));
    view.others = without(view.somewhere, view.own);
    view.somewhere = view.own;
    view.everywhere = view.own;
    return view;
  }

  [[nodiscard]] Result<Change, std::string> change(const View& view, const State& /*state*/,
                                                   const Words& words) const override {
    return Change{{}, {{set(words), set(view.own)}}};
  }

 private:
  /// Without --options the source is dropped.
  [[nodiscard]] Words set(const Words& words) const {
    Words argv{tool("bootc"), "loader-entries", "set-options-for-source", "--source", "memonline"};
    if (words.empty()) return argv;
    argv.emplace_back("--options");
    argv.push_back(joined(words));
    return argv;
  }
};

}  // namespace

BackEndPtr find_bootc(const Root& root, const Runner& run, Detect detect) {
  if (detect == Detect::No) return std::make_unique<Bootc>(root, run);
  const auto bootc = root.tool("bootc");
  if (!bootc || !(root.exists("/run/ostree-booted") || root.exists("/ostree"))) return nullptr;
  // Older ones lack this command; rpm-ostree is tried next.
  if (run({*bootc, "loader-entries", "set-options-for-source", "--help"}).status != 0)
    return nullptr;
  return std::make_unique<Bootc>(root, run);
}

}  // namespace memonline::boot
