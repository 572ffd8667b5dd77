// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/cli/boot_text.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "compiler/text/printable.hpp"
#include "runtime/boot/lock.hpp"

namespace memonline::cli {

using boot::Words;

namespace {

/// Quoted for a shell: names of files and of kernels may contain any character.
std::string shell_word(const std::string& word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string text = "'";
  for (const char c : word) {
    if (c == '\'')
      text += R"('\'')";
    else
      text += c;
  }
  return printable(text + "'");
}

}  // namespace

boot::Wish wish_of(const plan::Boot& boot) {
  boot::Wish wish{boot.parameters, {}};
  for (const plan::BootNode& node : boot.nodes)
    wish.predicted.push_back({node.node.value(), node.predicted});
  return wish;
}

std::string or_none(const Words& words) {
  return words.empty() ? "none" : printable(boot::joined(words));
}

std::string_view name_of(const boot::Survey& survey) {
  return survey.back_end ? survey.back_end->name() : "none";
}

std::string steps_text(const boot::Survey& survey) {
  std::string text;
  for (const boot::Survey& leftover : survey.leftovers) text += steps_text(leftover);
  for (const boot::Edit& edit : survey.change.edits) {
    if (!edit.after) {
      text += fmt::format("  remove {}\n", printable(edit.path));
      continue;
    }
    text += fmt::format("  write {}\n", printable(edit.path));
    for (std::size_t at = 0; at < edit.after->size();) {
      const std::size_t end = std::min(edit.after->find('\n', at), edit.after->size());
      text += fmt::format("    {}\n", printable(edit.after->substr(at, end - at), "\t"));
      at = end + 1;
    }
  }
  for (const boot::Command& command : survey.change.commands) {
    text += "  run";
    for (const std::string& word : command.argv) text += " " + shell_word(word);
    text += "\n";
  }
  return text;
}

BootWritten write_boot(const std::string& path, const plan::Boot& plan, std::string_view arch,
                       bool dry_run, diag::Sink& sink) {
  const boot::Root root(path);
  const boot::Runner run = boot::runner_below(root.path());
  std::optional<boot::Lock> lock;
  if (!dry_run) {
    lock = boot::Lock::take(root, kBootLockTimeout, sink);
    if (!lock) return {};
  }
  const auto survey = boot::survey(root, run, wish_of(plan), arch, sink);
  if (!survey) return {};
  if (!survey->pending) return {true, false, {}};
  const std::string steps = steps_text(*survey);
  if (dry_run)
    return {true, true, fmt::format("{}: {}\n{}", name_of(*survey), or_none(survey->words), steps)};
  if (!boot::carry_out(*survey, root, run, arch, sink)) return {};
  if (survey->told && survey->leftovers.empty()) return {true, false, {}};
  return {true, true,
          fmt::format("{}: {}\n{}Reboot for this to take effect.\n", name_of(*survey),
                      or_none(survey->words), steps)};
}

}  // namespace memonline::cli
