// SPDX-License-Identifier: LGPL-2.1-or-later
// openSUSE with sdbootutil: /etc/kernel/cmdline and every file in /etc/kernel/cmdline.d and
// /usr/kernel/cmdline.d, where a name in /etc masks the same one in /usr. One file is ours.
#include "runtime/boot/back_end.hpp"
#include "runtime/boot/places.hpp"

namespace memonline::boot {

namespace {

constexpr const char* kEtc = "/etc/kernel/cmdline.d";
constexpr const char* kUsr = "/usr/kernel/cmdline.d";

class Sdbootutil final : public BackEnd {
 public:
  using BackEnd::BackEnd;
  [[nodiscard]] std::string_view name() const override { return "sdbootutil"; }
  [[nodiscard]] bool remembers() const override { return false; }

  [[nodiscard]] Result<View, std::string> view(const State& /*state*/) const override {
    View view;
    view.own = words_of(root().read(kSdbootDropIn).value_or(""));
    add_others(view, kKernelCommandLine);
    const Words masked = root().list(kEtc);
    for (const std::string& file : masked) {
      const std::string path = std::string(kEtc) + "/" + file;
      if (path != kSdbootDropIn) add_others(view, path);
    }
    for (const std::string& file : without(root().list(kUsr), masked))
      add_others(view, std::string(kUsr) + "/" + file);
    take_lines(view, entry_lines(root(), "options"));
    return view;
  }

  [[nodiscard]] Result<Change, std::string> change(const View& /*view*/, const State& /*state*/,
                                                   const Words& words) const override {
    Change change;
    const auto before = root().read(kSdbootDropIn);
    std::optional<std::string> after;
    if (!words.empty()) after = joined(words) + "\n";
    if (before != after) change.edits.push_back({kSdbootDropIn, before, after});
    change.commands.push_back({{tool("sdbootutil"), "update-all-entries"}, {}});
    return change;
  }

 private:
  void add_others(View& view, const std::string& path) const {
    for (std::string& word : words_of(root().read(path).value_or("")))
      view.others.push_back(std::move(word));
  }
};

}  // namespace

BackEndPtr find_sdbootutil(const Root& root, const Runner& run, Detect detect) {
  if (detect == Detect::No) return std::make_unique<Sdbootutil>(root, run);
  if (!root.tool("sdbootutil") || !(root.exists(kKernelCommandLine) || root.exists(kEtc)))
    return nullptr;
  return std::make_unique<Sdbootutil>(root, run);
}

}  // namespace memonline::boot
