// SPDX-License-Identifier: LGPL-2.1-or-later
// If a host changes its boot loader, our parameters stay in the old one: in a file that is no
// longer read, or on a line that both share. They are removed before the new one is changed.
#include <algorithm>

#include <fmt/format.h>

#include "runtime/boot/change.hpp"
#include "runtime/boot/places.hpp"

namespace memonline::boot {

namespace {

/// Those that the state or a file of ours names.
Words told_before(const Root& root, const State& state) {
  Words names;
  if (!state.back_end.empty()) names.push_back(state.back_end);
  if (!drop_in_words(root.read(kGrubDropIn).value_or("")).empty()) names.emplace_back("grub.d");
  if (root.exists(kSdbootDropIn)) names.emplace_back("sdbootutil");
  return names;
}

bool is_there(const Root& root, const Command& command) {
  return command.argv[0].front() == '/' && root.exists(command.argv[0]);
}

/// Files are corrected in any case; commands of tools that are no longer installed are dropped.
void drop_missing_tools(const Root& root, Survey& survey) {
  auto& commands = survey.change.commands;
  const auto gone = std::remove_if(commands.begin(), commands.end(), [&](const Command& command) {
    return !is_there(root, command);
  });
  survey.whole = gone == commands.end();
  commands.erase(gone, commands.end());
}

void cannot(std::string_view name, const Words& words, diag::Sink& sink) {
  if (words.empty()) return;
  sink.add(
          diag::Code::BootLeftover, std::nullopt,
          fmt::format("`{}` was set through {}, which is no longer available", joined(words), name))
      .help = "check the kernel command line after the next boot";
}

}  // namespace

std::vector<Survey> leftovers(const Root& root, const Runner& run, const State& state,
                              std::string_view now, diag::Sink& sink) {
  std::vector<Survey> all;
  Words seen{std::string(now)};
  for (const std::string& name : told_before(root, state)) {
    if (holds(seen, name)) continue;
    seen.push_back(name);
    Survey old;
    old.back_end = back_end_named(name, root, run);
    if (name == state.back_end) old.state = state;
    auto view = old.back_end ? old.back_end->view(old.state) : fail(std::string());
    if (!view) {
      cannot(name, old.state.words, sink);
      continue;
    }
    old.view = std::move(*view);
    old.pending = true;
    auto change = old.back_end->change(old.view, old.state, {});
    if (!change) {
      cannot(name, old.view.own, sink);
      continue;
    }
    old.change = std::move(*change);
    drop_missing_tools(root, old);
    if (!old.whole && old.change.edits.empty() && old.back_end->remembers()) {
      cannot(name, old.view.own, sink);
      continue;
    }
    all.push_back(std::move(old));
  }
  return all;
}

}  // namespace memonline::boot
