// SPDX-License-Identifier: LGPL-2.1-or-later
// systemd's kernel-install: entries and unified images get what /etc/kernel/cmdline says, else
// /usr/lib/kernel/cmdline, else /proc/cmdline. The line is shared, so the state remembers our
// words.
#include <algorithm>
#include <utility>

#include "runtime/boot/back_end.hpp"
#include "runtime/boot/places.hpp"

namespace memonline::boot {

namespace {

/// What kernel-install takes of a running command line: not what the boot loader put there.
std::string running_line(const Root& root) {
  Words words;
  for (const std::string& word : words_of(root.read("/proc/cmdline").value_or("")))
    if (word.rfind("BOOT_IMAGE=", 0) != 0 && word.rfind("initrd=", 0) != 0) words.push_back(word);
  return words.empty() ? "" : joined(words) + "\n";
}

std::string words_without_comments(const std::string& text) {
  std::string all;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (text[at] != '#') all += text.substr(at, end - at) + " ";
    at = end + 1;
  }
  return all;
}

class KernelInstall final : public BackEnd {
 public:
  using BackEnd::BackEnd;
  [[nodiscard]] std::string_view name() const override { return "kernel-install"; }
  [[nodiscard]] bool remembers() const override { return true; }

  [[nodiscard]] Result<View, std::string> view(const State& state) const override {
    View view;
    view.own = state.words;
    const Words written = words_of(words_without_comments(line()));
    view.others = without(written, view.own);
    take_lines(view, entry_lines(root(), "options"));
    view.longest = std::max(view.longest, line().size());
    // Entries of other systems are in the same directory, so one that has a word is enough; an
    // image with a built-in command line shows none at all.
    if (view.somewhere.empty()) view.somewhere = written;
    view.everywhere = without(view.somewhere, without(view.somewhere, written));
    return view;
  }

  [[nodiscard]] Result<Change, std::string> change(const View& view, const State& state,
                                                   const Words& words) const override {
    Change change;
    const auto before = root().read(kKernelCommandLine);
    const std::string text = line();
    if (text.empty())
      return fail(std::string("no ") + kKernelCommandLine +
                  ", and no command line to create it from");
    const Words written = words_of(words_without_comments(text));
    std::optional<std::string> after =
        edited(text, without(view.own, words), without(words, written));
    // If memonline created the file, it is removed with our last word.
    if (words.empty() && holds(state.made, kKernelCommandLine)) after.reset();
    if (before != after && (before || !words.empty()))
      change.edits.push_back({kKernelCommandLine, before, after});
    const auto kernels = all_kernels();
    if (kernels.empty()) return fail(std::string("no kernel below /usr/lib/modules has an image"));
    for (const auto& [version, image] : kernels)
      change.commands.push_back({{tool("kernel-install"), "add", version, image}, {}});
    return change;
  }

 private:
  [[nodiscard]] std::string line() const {
    for (const char* path : {kKernelCommandLine, "/usr/lib/kernel/cmdline"})
      if (const auto text = root().read(path)) return *text;
    return running_line(root());
  }

  [[nodiscard]] std::vector<std::pair<std::string, std::string>> all_kernels() const {
    std::vector<std::pair<std::string, std::string>> kernels;
    const std::string modules =
        root().exists("/usr/lib/modules") ? "/usr/lib/modules/" : "/lib/modules/";
    for (const std::string& version : root().list(modules))
      for (const std::string& image : {modules + version + "/vmlinuz", "/boot/vmlinuz-" + version})
        if (root().exists(image)) {
          kernels.emplace_back(version, image);
          break;
        }
    return kernels;
  }
};

}  // namespace

BackEndPtr find_kernel_install(const Root& root, const Runner& run, Detect detect) {
  if (detect == Detect::No) return std::make_unique<KernelInstall>(root, run);
  if (!root.tool("kernel-install")) return nullptr;
  for (const char* sign : {kKernelCommandLine, "/boot/loader/entries", "/efi/loader/entries",
                           "/boot/efi/loader/entries"})
    if (root.exists(sign)) return std::make_unique<KernelInstall>(root, run);
  return nullptr;
}

}  // namespace memonline::boot
