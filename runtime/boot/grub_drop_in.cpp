// SPDX-License-Identifier: LGPL-2.1-or-later
// Debian, Ubuntu: /etc/default/grub.d/*.cfg are sourced after /etc/default/grub, so one file is
// ours; update-grub makes grub.cfg of it. Recovery entries do not get our words.
#include "runtime/boot/back_end.hpp"
#include "runtime/boot/places.hpp"

namespace memonline::boot {

namespace {

class GrubDropIn final : public BackEnd {
 public:
  using BackEnd::BackEnd;
  [[nodiscard]] std::string_view name() const override { return "grub.d"; }
  [[nodiscard]] bool remembers() const override { return false; }

  [[nodiscard]] Result<View, std::string> view(const State& /*state*/) const override {
    View view;
    view.own = drop_in_words(root().read(kGrubDropIn).value_or(""));
    add_others(view, kGrubDefaults);
    const std::string directory = "/etc/default/grub.d/";
    for (const std::string& file : root().list("/etc/default/grub.d")) {
      const std::string path = directory + file;
      if (path != kGrubDropIn && file.size() > 4 && file.substr(file.size() - 4) == ".cfg")
        add_others(view, path);
    }
    const auto lines = grub_entries(root().read("/boot/grub/grub.cfg").value_or(""));
    take_lines(view, lines);
    // Recovery entries and other systems lack our words: one entry with a word is enough.
    view.everywhere = view.somewhere;
    return view;
  }

  [[nodiscard]] Result<Change, std::string> change(const View& /*view*/, const State& /*state*/,
                                                   const Words& words) const override {
    Change change;
    const auto before = root().read(kGrubDropIn);
    std::optional<std::string> after;
    if (!words.empty()) after = drop_in_text(words);
    if (before && drop_in_text(drop_in_words(*before)) != *before)
      return fail(std::string(kGrubDropIn) + " was changed since memonline wrote it");
    if (before != after) change.edits.push_back({kGrubDropIn, before, after});
    change.commands.push_back({{tool("update-grub")}, {}});
    return change;
  }

 private:
  void add_others(View& view, const std::string& path) const {
    for (std::string& word : grub_words(root().read(path).value_or("")))
      view.others.push_back(std::move(word));
  }
};

}  // namespace

BackEndPtr find_grub_drop_in(const Root& root, const Runner& run, Detect detect) {
  if (detect == Detect::No) return std::make_unique<GrubDropIn>(root, run);
  if (!root.tool("update-grub") || !root.exists(kGrubDefaults)) return nullptr;
  return std::make_unique<GrubDropIn>(root, run);
}

}  // namespace memonline::boot
