// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/base/words.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "compiler/text/printable.hpp"
#include "compiler/text/similar.hpp"

namespace memonline::options {

namespace {

/// Longer lists of words are left to --help.
constexpr std::size_t kListed = 8;

bool contains(const std::vector<std::string_view>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

const Option* named(const std::vector<Option>& options, std::string_view name) {
  for (const Option& option : options)
    if (contains(option.names, name)) return &option;
  return nullptr;
}

const Option* lettered(const std::vector<Option>& options, char letter) {
  for (const Option& option : options)
    if (option.letter == letter && letter != '\0') return &option;
  return nullptr;
}

/// "-" is an operand: standard input or output.
bool is_option(std::string_view word) { return word.size() > 1 && word.front() == '-'; }

/// Whether the word is an option of this command, or ends the options: then the value was probably
/// forgotten.
bool ends_value(const std::vector<Option>& options, std::string_view word) {
  if (word == "--") return true;
  if (word.substr(0, 2) == "--")
    return named(options, word.substr(2, word.find('=') - 2)) != nullptr;
  return word.size() == 2 && word.front() == '-' && lettered(options, word[1]) != nullptr;
}

}  // namespace

std::string Given::value(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? "" : found->second.back();
}

std::vector<std::string> Given::values(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::vector<std::string>() : found->second;
}

std::string Given::spelling(std::string_view name) const {
  const auto found = spellings_.find(name);
  return found == spellings_.end() ? fmt::format("--{}", name) : found->second;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& known,
                         std::string_view before) {
  std::string_view near = most_similar(word, known);
  // An abbreviation suggests the whole word.
  if (near.empty() && word.size() >= 2)
    for (const std::string_view candidate : known)
      if (near.empty() && candidate.starts_with(word)) near = candidate;
  return near.empty() ? "" : fmt::format("; did you mean `{}{}`?", before, near);
}

std::string one_of(const std::vector<std::string_view>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i)
    text += fmt::format("{}{}", i == 0 ? "" : i + 1 == words.size() ? " or " : ", ", words[i]);
  return text;
}

class Reader {
 public:
  Reader(const std::vector<Option>& options, const Operand* operand,
         const std::vector<std::string_view>& words)
      : options_(options), operand_(operand), words_(words) {}

  Result<Given, UsageError> read() {
    while (at_ < words_.size() && !error_ && !given_.has("help")) {
      const std::string_view word = words_[at_++];
      if (only_operands_ || !is_option(word))
        take_operand(word);
      else if (word == "--")
        only_operands_ = true;
      else if (word.substr(0, 2) == "--")
        take_name(word);
      else
        take_letters(word);
    }
    if (!error_ && !given_.has("help") && operand_ != nullptr && operand_->required &&
        given_.operands_.empty())
      wrong(fmt::format(
          "missing {}: expected {}", operand_->name,
          operand_->words.empty() ? std::string(operand_->help) : one_of(operand_->words)));
    if (error_) return fail(*error_);
    return std::move(given_);
  }

  /// The first operand is at this place, if there is any.
  std::size_t before_operand() {
    while (at_ < words_.size() && !error_ && is_option(words_[at_]) && words_[at_] != "--") {
      const std::string_view word = words_[at_++];
      if (word.substr(0, 2) == "--")
        take_name(word);
      else
        take_letters(word);
    }
    return at_;
  }

 private:
  void wrong(std::string message) { error_ = UsageError{std::move(message)}; }

  void unknown(std::string_view word) {
    std::vector<std::string_view> names;
    for (const Option& option : options_)
      names.insert(names.end(), option.names.begin(), option.names.end());
    const std::string_view bare = word.substr(std::min(word.find_first_not_of('-'), word.size()));
    wrong(fmt::format("unknown option `{}`{}", printable(word),
                      bare.size() > 1 ? did_you_mean(bare, names, "--") : ""));
    error_->unknown_option = word;
  }

  void take_name(std::string_view word) {
    const std::size_t equals = word.find('=');
    const std::string_view shown = word.substr(0, equals);
    const Option* option = named(options_, shown.substr(2));
    if (option == nullptr) return unknown(shown.size() > 2 ? shown : word);
    std::optional<std::string_view> value;
    if (equals != std::string_view::npos) value = word.substr(equals + 1);
    take(*option, std::string(shown), value);
  }

  void take_letters(std::string_view word) {
    for (std::size_t i = 1; i < word.size() && !error_; ++i) {
      const Option* option = lettered(options_, word[i]);
      // `-json` lacks a dash, `-nx` has one wrong letter.
      if (option == nullptr)
        return unknown(i == 1 ? word : std::string_view(fmt::format("-{}", word[i])));
      const std::string shown{'-', word[i]};
      if (option->value.empty()) {
        take(*option, shown, std::nullopt);
        continue;
      }
      std::optional<std::string_view> value;
      if (i + 1 < word.size()) value = word.substr(i + 1);
      return take(*option, shown, value);
    }
  }

  void take(const Option& option, const std::string& shown, std::optional<std::string_view> value) {
    const std::string name(option.names.front());
    if (option.value.empty()) {
      if (value)
        return wrong(
            fmt::format("unexpected value `{}` for `{}`: expected none", printable(*value), shown));
      given_.values_[name] = {""};
      given_.spellings_[name] = shown;
      return;
    }
    if (!option.repeats && given_.has(name))
      return wrong(fmt::format("`{}` is given twice: expected at most once", shown));
    given_.spellings_[name] = shown;
    if (!value && option.takes != nullptr) {
      const bool next = at_ < words_.size() && option.takes(words_[at_]);
      given_.values_[name] = {next ? std::string(words_[at_++]) : ""};
      return;
    }
    if (!value && (at_ == words_.size() || ends_value(options_, words_[at_])))
      return wrong(fmt::format(
          "missing value for `{}`: expected {}{}", shown, expected(option),
          at_ == words_.size() ? "" : fmt::format(", found `{}`", printable(words_[at_]))));
    if (!value) value = words_[at_++];
    if (value->empty() && !option.may_be_empty)
      return wrong(fmt::format("empty value for `{}`: expected {}", shown, expected(option)));
    if (!option.words.empty() && !contains(option.words, *value))
      return wrong(fmt::format("invalid value `{}` for `{}`: expected {}{}", printable(*value),
                               shown, one_of(option.words), did_you_mean(*value, option.words)));
    given_.values_[name].emplace_back(*value);
  }

  static std::string expected(const Option& option) {
    return option.words.empty() ? std::string(option.value) : one_of(option.words);
  }

  void take_operand(std::string_view word) {
    if (operand_ == nullptr || (!operand_->repeats && !given_.operands_.empty()))
      return wrong(fmt::format(
          "unexpected operand `{}`: expected {}", printable(word),
          operand_ == nullptr ? "only options" : fmt::format("at most one {}", operand_->name)));
    if (word.empty()) return wrong(fmt::format("empty operand: expected {}", operand_->name));
    if (!operand_->words.empty() && !contains(operand_->words, word))
      return wrong(fmt::format(
          "invalid {} `{}`{}{}", operand_->name, printable(word),
          operand_->words.size() > kListed ? "" : ": expected " + one_of(operand_->words),
          did_you_mean(word, operand_->words)));
    given_.operands_.emplace_back(word);
  }

  const std::vector<Option>& options_;
  const Operand* operand_;
  const std::vector<std::string_view>& words_;
  std::size_t at_ = 0;
  bool only_operands_ = false;
  Given given_;
  std::optional<UsageError> error_;
};

Result<Given, UsageError> read_words(const std::vector<Option>& options, const Operand* operand,
                                     const std::vector<std::string_view>& words) {
  return Reader(options, operand, words).read();
}

std::size_t words_before_operand(const std::vector<Option>& options,
                                 const std::vector<std::string_view>& words) {
  return Reader(options, nullptr, words).before_operand();
}

}  // namespace memonline::options
