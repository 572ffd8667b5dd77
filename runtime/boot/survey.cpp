// SPDX-License-Identifier: LGPL-2.1-or-later
#include <algorithm>

#include <fmt/format.h>

#include "runtime/boot/change.hpp"

namespace memonline::boot {

namespace {

using diag::Code;

bool words_are_plain(const Words& words, diag::Sink& sink) {
  bool plain = true;
  for (const std::string& word : words) {
    if (is_plain(word)) continue;
    sink.add(Code::BootWordRefused, std::nullopt,
             fmt::format("`{}` cannot be written to a boot loader's files", word))
        .help = "add it by hand; memonline accepts letters, digits and _ . , : % = + -";
    plain = false;
  }
  return plain;
}

void tell_foreign(const Survey& survey, diag::Sink& sink) {
  for (const std::string& word : survey.foreign) {
    const auto same = std::find_if(survey.wished.begin(), survey.wished.end(),
                                   [&](const std::string& w) { return key_of(w) == key_of(word); });
    if (same == survey.wished.end() || *same == word) continue;
    sink.add(Code::BootWordForeign, std::nullopt,
             fmt::format("`{}` is set by others for the next boot: `{}` is not written", word,
                         *same))
        .help = "remove it where it is set, or adapt the policy to it";
  }
}

/// The crash kernel inherits the command line: our parameters could leave it without memory.
void tell_kdump(const Root& root, const Words& words, diag::Sink& sink) {
  const auto settings = root.read("/etc/sysconfig/kdump");
  if (!settings && !root.exists("/etc/kdump.conf")) return;
  constexpr std::string_view kName = "KDUMP_COMMANDLINE_REMOVE=\"";
  std::string list = "hugepages hugepagesz slub_debug";
  if (const std::size_t at = settings ? settings->find("\n" + std::string(kName)) : 0;
      settings && (at != std::string::npos || settings->rfind(kName, 0) == 0)) {
    const std::size_t begin = (at == std::string::npos ? 0 : at + 1) + kName.size();
    list = settings->substr(begin, settings->find('"', begin) - begin);
  }
  const std::size_t old = list.size();
  for (const std::string& word : words) {
    const std::string key = key_of(word);
    const bool matters = key == "kernelcore" || key == "movablecore" || key == "movable_node";
    if (matters && !holds(words_of(list), key)) list += " " + key;
  }
  if (list.size() == old) return;
  sink.add(Code::BootWordsInKdump, std::nullopt,
           "the kdump crash kernel inherits these parameters and may be left without kernel memory")
      .help =
      fmt::format("put {}{}\" into /etc/sysconfig/kdump and run `kdumpctl restart`", kName, list);
}

bool fits(const Survey& survey, std::string_view arch, diag::Sink& sink) {
  const Words more = without(survey.words, survey.view.everywhere);
  if (more.empty()) return true;
  const std::size_t size = survey.view.longest + 1 + joined(more).size() + 1;
  if (size <= command_line_size(arch)) return true;
  sink.add(Code::CommandLineTooLong, std::nullopt,
           fmt::format("the command line would have {} bytes, but the kernel accepts {}", size,
                       command_line_size(arch)));
  return false;
}

/// Memory parameters set by others, without our own in an earlier loader: those are removed first.
void find_foreign(Survey& survey) {
  for (const std::string& word : survey.view.others) {
    const bool ours =
        std::any_of(survey.leftovers.begin(), survey.leftovers.end(),
                    [&](const Survey& leftover) { return holds(leftover.view.own, word); });
    if (!ours && is_memory_key(key_of(word)) && !holds(survey.foreign, word))
      survey.foreign.push_back(word);
  }
}

/// The words are set, but the state is lost, or has another prediction.
bool is_out_of_date(const Survey& survey) {
  return !survey.words.empty() && (survey.state.back_end != survey.back_end->name() ||
                                   survey.state.predicted != survey.predicted);
}

std::nullopt_t refused(const std::string& reason, diag::Sink& sink) {
  sink.add(Code::BootLoaderSilent, std::nullopt,
           fmt::format("cannot determine the boot loader's command line: {}", reason));
  return std::nullopt;
}

}  // namespace

std::size_t command_line_size(std::string_view arch) {
  return arch.substr(0, 4) == "s390" ? 4096 : 2048;
}

std::optional<Survey> survey(const Root& root, const Runner& run, const Wish& wish,
                             std::string_view arch, diag::Sink& sink) {
  Survey survey;
  survey.wished = wish.words;
  if (!words_are_plain(wish.words, sink)) return std::nullopt;
  auto state = read_state(root);
  if (!state) return refused(fmt::format("`{}` is damaged", root.full(kStatePath)), sink);
  survey.back_end = find_back_end(root, run);
  const std::string_view now = survey.back_end ? survey.back_end->name() : std::string_view();
  survey.leftovers = leftovers(root, run, *state, now, sink);
  if (!survey.back_end) {
    survey.words = wish.words;
    survey.pending = !survey.leftovers.empty() || !survey.words.empty();
    return survey;
  }
  // The state describes only the loader that it names.
  if (state->back_end.empty() || state->back_end == now) survey.state = std::move(*state);
  auto view = survey.back_end->view(survey.state);
  if (!view) return refused(view.error(), sink);
  survey.view = std::move(*view);
  find_foreign(survey);
  for (const std::string& word : wish.words)
    if (std::none_of(survey.foreign.begin(), survey.foreign.end(),
                     [&](const std::string& f) { return key_of(f) == key_of(word); }))
      survey.words.push_back(word);
  if (!survey.words.empty()) survey.predicted = wish.predicted;
  tell_foreign(survey, sink);
  tell_kdump(root, survey.words, sink);
  survey.told = !survey.state.pending && survey.view.own == survey.words &&
                without(survey.words, survey.view.everywhere).empty();
  survey.pending = !survey.leftovers.empty() || !survey.told || is_out_of_date(survey);
  if (survey.told) return survey;
  if (!fits(survey, arch, sink)) return std::nullopt;
  auto change = survey.back_end->change(survey.view, survey.state, survey.words);
  if (!change) return refused(change.error(), sink);
  survey.change = std::move(*change);
  return survey;
}

}  // namespace memonline::boot
