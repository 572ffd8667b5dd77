// SPDX-License-Identifier: LGPL-2.1-or-later
// rpm-ostree: kernel arguments belong to deployments, and changing them makes a new one: so one
// call makes all changes, and there is no call if nothing changes.
#include "runtime/boot/back_end.hpp"

namespace memonline::boot {

namespace {

class RpmOstree final : public BackEnd {
 public:
  using BackEnd::BackEnd;
  [[nodiscard]] std::string_view name() const override { return "rpm-ostree"; }
  [[nodiscard]] bool remembers() const override { return true; }

  [[nodiscard]] Result<View, std::string> view(const State& state) const override {
    // Those of the deployment that boots next.
    const ToolResult ran = run({tool("rpm-ostree"), "kargs"});
    if (ran.status != 0) return fail("`rpm-ostree kargs`: " + last_lines(ran.errors, 3));
    View view;
    view.own = state.words;
    take_lines(view, {ran.output});
    view.others = without(view.somewhere, view.own);
    return view;
  }

  [[nodiscard]] Result<Change, std::string> change(const View& view, const State& /*state*/,
                                                   const Words& words) const override {
    Words argv{tool("rpm-ostree"), "kargs"};
    for (const std::string& word : without(view.own, words))
      if (holds(view.somewhere, word)) argv.push_back("--delete-if-present=" + word);
    for (const std::string& word : without(words, view.everywhere))
      argv.push_back("--append-if-missing=" + word);
    Change change;
    if (argv.size() > 2) change.commands.push_back({std::move(argv), {}});
    return change;
  }
};

}  // namespace

BackEndPtr find_rpm_ostree(const Root& root, const Runner& run, Detect detect) {
  if (detect == Detect::No) return std::make_unique<RpmOstree>(root, run);
  if (!root.tool("rpm-ostree") || !(root.exists("/run/ostree-booted") || root.exists("/ostree")))
    return nullptr;
  return std::make_unique<RpmOstree>(root, run);
}

}  // namespace memonline::boot
