// SPDX-License-Identifier: LGPL-2.1-or-later
// openSUSE, SLES: `update-bootloader` of perl-bootloader edits /etc/default/grub or
// /etc/kernel/cmdline, whichever the loader in use has, and `--config` rewrites the entries.
#include "runtime/boot/back_end.hpp"
#include "runtime/boot/places.hpp"

namespace memonline::boot {

namespace {

class PerlBootloader final : public BackEnd {
 public:
  using BackEnd::BackEnd;
  [[nodiscard]] std::string_view name() const override { return "update-bootloader"; }
  [[nodiscard]] bool remembers() const override { return true; }

  [[nodiscard]] Result<View, std::string> view(const State& state) const override {
    View view;
    view.own = state.words;
    std::vector<std::string> lines;
    if (const auto grub = root().read(kGrubDefaults))
      lines.push_back(joined(grub_words(*grub)));
    else
      lines.push_back(root().read(kKernelCommandLine).value_or(""));
    take_lines(view, lines);
    view.others = without(view.somewhere, view.own);
    return view;
  }

  [[nodiscard]] Result<Change, std::string> change(const View& view, const State& /*state*/,
                                                   const Words& words) const override {
    Change change;
    const std::string program = tool("update-bootloader");
    const auto add = [&](const char* verb, const char* back, const std::string& word) {
      change.commands.push_back({{program, verb, word}, {program, back, word}});
    };
    for (const std::string& word : without(view.own, words))
      if (holds(view.somewhere, word)) add("--del-option", "--add-option", word);
    for (const std::string& word : without(words, view.everywhere))
      add("--add-option", "--del-option", word);
    change.commands.push_back({{program, "--config"}, {}});
    return change;
  }
};

}  // namespace

BackEndPtr find_perl_bootloader(const Root& root, const Runner& run, Detect detect) {
  if (detect == Detect::No) return std::make_unique<PerlBootloader>(root, run);
  if (!root.tool("update-bootloader")) return nullptr;
  return std::make_unique<PerlBootloader>(root, run);
}

}  // namespace memonline::boot
