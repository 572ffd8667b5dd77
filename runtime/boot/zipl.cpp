// SPDX-License-Identifier: LGPL-2.1-or-later
// Debian, Ubuntu on s390x: `parameters=` of each section of /etc/zipl.conf, which zipl writes into
// the boot record. The lines are shared, so the state stores our words.
#include <algorithm>

#include "runtime/boot/back_end.hpp"
#include "runtime/boot/places.hpp"

namespace memonline::boot {

namespace {

class Zipl final : public BackEnd {
 public:
  using BackEnd::BackEnd;
  [[nodiscard]] std::string_view name() const override { return "zipl"; }
  [[nodiscard]] bool remembers() const override { return true; }

  [[nodiscard]] Result<View, std::string> view(const State& state) const override {
    const std::string text = root().read(kZiplConfiguration).value_or("");
    std::vector<std::string> lines;
    for (const Value& value : zipl_values(text))
      lines.push_back(text.substr(value.begin, value.size));
    View view;
    view.own = state.words;
    take_lines(view, lines);
    view.others = without(view.somewhere, view.own);
    return view;
  }

  [[nodiscard]] Result<Change, std::string> change(const View& view, const State& /*state*/,
                                                   const Words& words) const override {
    const auto before = root().read(kZiplConfiguration);
    std::string after = before.value_or("");
    auto values = zipl_values(after);
    if (values.empty()) return fail(std::string(kZiplConfiguration) + " has no line `parameters=`");
    std::reverse(values.begin(), values.end());
    for (const Value& value : values) {
      const std::string line = after.substr(value.begin, value.size);
      after.replace(value.begin, value.size,
                    edited(line, without(view.own, words), without(words, words_of(line))));
    }
    Change change;
    if (before != after) change.edits.push_back({kZiplConfiguration, before, after});
    change.commands.push_back({{tool("zipl")}, {}});
    return change;
  }
};

}  // namespace

BackEndPtr find_zipl(const Root& root, const Runner& run, Detect detect) {
  if (detect == Detect::No) return std::make_unique<Zipl>(root, run);
  if (!root.tool("zipl") || !root.exists(kZiplConfiguration)) return nullptr;
  return std::make_unique<Zipl>(root, run);
}

}  // namespace memonline::boot
