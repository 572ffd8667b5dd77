// SPDX-License-Identifier: LGPL-2.1-or-later
// The words of a command line, read by a table of options as getopt users expect it: options may
// follow operands, `--` ends them, an option takes exactly one value (`-eTEXT`, `-e TEXT`,
// `--expression=TEXT`), letters may be joined (`-nw`). Unlike getopt_long, names cannot be
// abbreviated, and every error names the nearest valid word.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/base/result.hpp"
#include "runtime/base/option.hpp"

namespace memonline::options {

/// Problem, then what was expected; one line, safe to print.
struct UsageError {
  std::string message;
  std::string unknown_option = {};  ///< the word, if it is an option that the command does not have
};

/// The options and operands that were given.
class Given {
 public:
  [[nodiscard]] bool has(std::string_view name) const { return values_.contains(name); }
  /// The last value of an option; empty where it was not given, or without a value.
  [[nodiscard]] std::string value(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> values(std::string_view name) const;
  [[nodiscard]] const std::vector<std::string>& operands() const { return operands_; }
  /// The first operand, or empty.
  [[nodiscard]] std::string operand() const { return operands_.empty() ? "" : operands_.front(); }
  /// How the option was written: `-e` or `--expression`.
  [[nodiscard]] std::string spelling(std::string_view name) const;

 private:
  friend class Reader;
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
  std::map<std::string, std::string, std::less<>> spellings_;
  std::vector<std::string> operands_;
};

/// `words` without the names of program and command. An option named "help" ends the reading: words
/// after it are ignored.
Result<Given, UsageError> read_words(const std::vector<Option>& options, const Operand* operand,
                                     const std::vector<std::string_view>& words);

/// How many of `words` come before the first operand: the options of the program itself.
std::size_t words_before_operand(const std::vector<Option>& options,
                                 const std::vector<std::string_view>& words);

/// "; did you mean `--format`?", or nothing if no known word is near.
std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& known,
                         std::string_view before = {});

/// "text, json or yaml".
std::string one_of(const std::vector<std::string_view>& words);

}  // namespace memonline::options
