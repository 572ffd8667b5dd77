// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/boot/not_ours.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/boot/places.hpp"

namespace memonline::boot {

namespace {

Words zipl_words(const std::string& text) {
  Words words;
  for (const Value& value : zipl_values(text))
    for (std::string& word : words_of(std::string_view(text).substr(value.begin, value.size)))
      words.push_back(std::move(word));
  return words;
}

class Search {
 public:
  Search(const Root& root, std::string_view word) : root_(root), word_(word) {}

  Words files() && {
    look(kGrubDefaults, grub_words);
    look_below("/etc/default/grub.d", grub_words);
    look(kKernelCommandLine, words_of);
    look_below("/etc/kernel/cmdline.d", words_of);
    look(kZiplConfiguration, zipl_words);
    for (const char* boot : {"/boot", "/efi", "/boot/efi"})
      look_below(std::string(boot) + "/loader/entries", words_of);
    return std::move(found_);
  }

 private:
  template <class Read>
  void look(const std::string& path, const Read& read) {
    if (path == kGrubDropIn || path == kSdbootDropIn) return;  // memonline's own
    const auto text = root_.read(path);
    if (text && holds(read(*text), word_)) found_.push_back(path);
  }
  template <class Read>
  void look_below(const std::string& directory, const Read& read) {
    for (const std::string& name : root_.list(directory))
      look(fmt::format("{}/{}", directory, name), read);
  }

  const Root& root_;
  std::string_view word_;
  Words found_;
};

}  // namespace

std::vector<NotOurs> not_ours(const Root& root, const Survey& survey) {
  Words ours = own_parameters(root.path());
  ours.insert(ours.end(), survey.view.own.begin(), survey.view.own.end());
  for (const Survey& leftover : survey.leftovers)
    ours.insert(ours.end(), leftover.view.own.begin(), leftover.view.own.end());
  const Words running = words_of(root.read("/proc/cmdline").value_or(""));

  std::vector<NotOurs> result;
  const auto add = [&](const std::string& word, bool next) {
    const bool known = std::any_of(result.begin(), result.end(),
                                   [&](const NotOurs& one) { return one.word == word; });
    if (!known) result.push_back({word, Search(root, word).files(), holds(running, word), next});
  };
  for (const std::string& word : survey.foreign) add(word, true);
  for (const std::string& word : running)
    if (is_memory_key(key_of(word)) && !holds(ours, word))
      add(word, holds(survey.view.somewhere, word));
  return result;
}

std::string effect_of(std::string_view word) {
  const std::string key = key_of(word);
  if (key == "kernelcore")
    return word.substr(word.find('=') + 1) == "mirror"
               ? "the kernel keeps mirrored boot memory for itself; the rest becomes Movable"
               : "the kernel keeps this much boot memory for itself; the rest becomes Movable";
  if (key == "movablecore") return "the kernel makes this much boot memory Movable";
  if (key == "movable_node")
    return "boot memory that the firmware reports as hot-pluggable becomes Movable";
  if (key == "memhp_default_state")
    return "decides how hot-added memory is onlined, until auto_online_blocks is set";
  return fmt::format("the kernel setting {} starts with this value",
                     key.substr(std::min(key.find('.') + 1, key.size())));
}

}  // namespace memonline::boot
