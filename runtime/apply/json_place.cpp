// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/apply/json_place.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace memonline::apply {

namespace {

/// Counts the bytes that the library has read.
class CountedByte {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountedByte(const char* at, std::size_t* read) : at_(at), read_(read) {}
  reference operator*() const { return *at_; }
  CountedByte& operator++() {
    ++at_;
    ++*read_;
    return *this;
  }
  friend bool operator==(const CountedByte& a, const CountedByte& b) { return a.at_ == b.at_; }

 private:
  const char* at_;
  std::size_t* read_;
};

/// Receives the values of the document from the library, and notes where those on the path are.
class Locator final : public nlohmann::json_sax<nlohmann::json> {
 public:
  Locator(std::string_view json, const JsonPath& path)
      : json_(json), path_(path), last_(json.starts_with("\xEF\xBB\xBF") ? 3 : 0) {}

  [[nodiscard]] JsonPlace locate() {
    const char* begin = json_.data();
    nlohmann::json::sax_parse(CountedByte(begin, &read_), CountedByte(begin + json_.size(), &read_),
                              this);
    return places_.empty() ? JsonPlace{json_.size(), json_.size()} : places_.back();
  }

  bool null() override { return word(); }
  bool boolean(bool) override { return word(); }
  bool number_integer(number_integer_t) override { return word(); }
  bool number_unsigned(number_unsigned_t) override { return word(); }
  bool number_float(number_float_t, const string_t&) override { return word(); }
  bool string(string_t&) override { return scalar(value_begin(), read_); }
  bool binary(binary_t&) override { return true; }  // not in a text
  bool start_object(std::size_t) override { return open(false); }
  bool start_array(std::size_t) override { return open(true); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    if (beside_ == 0) levels_.back().member = name;
    last_ = read_;
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) override {
    return false;
  }

 private:
  /// An object or a list on the path that is not complete, and how far it has been read.
  struct Level {
    bool list = false;
    std::string member;
    std::size_t item = 0;
  };

  [[nodiscard]] std::size_t value_begin() const {
    return std::min(json_.find_first_not_of(" \t\r\n:,", last_), json_.size());
  }

  [[nodiscard]] bool next_is_on_path() const {
    if (beside_ > 0) return false;
    if (levels_.empty()) return true;
    const Level& level = levels_.back();
    if (levels_.size() > path_.size()) return false;
    const JsonStep& step = path_[levels_.size() - 1];
    return step.member.empty() ? level.list && step.item == level.item
                               : !level.list && step.member == level.member;
  }

  // Of members of one name the last counts: it replaces what was found in an earlier one.
  bool note_begin(std::size_t begin) {
    if (!next_is_on_path()) return false;
    places_.resize(levels_.size());
    places_.push_back({begin, json_.size()});
    return true;
  }

  /// A number, of which the library has read one byte more, or a literal.
  bool word() {
    const std::size_t begin = value_begin();
    return scalar(begin, std::min(json_.find_first_of(",]} \t\r\n", begin), json_.size()));
  }

  bool scalar(std::size_t begin, std::size_t end) {
    if (note_begin(begin)) places_.back().end = end;
    return ended(end);
  }

  bool open(bool list) {
    if (note_begin(value_begin()))
      levels_.push_back({list, {}, 0});
    else
      ++beside_;
    last_ = read_;
    return true;
  }

  bool close() {
    if (beside_ > 0) {
      --beside_;
      return ended(read_);
    }
    levels_.pop_back();
    places_[levels_.size()].end = read_;
    return ended(read_);
  }

  bool ended(std::size_t end) {
    last_ = end;
    if (beside_ == 0 && !levels_.empty()) ++levels_.back().item;
    return true;
  }

  std::string_view json_;
  const JsonPath& path_;
  std::size_t read_ = 0;           ///< bytes that the library has read
  std::size_t last_;               ///< where the last bracket, name or value ends
  std::vector<Level> levels_;      ///< what encloses the next value, as far as it is on the path
  std::size_t beside_ = 0;         ///< open brackets beside the path: a text may nest without bound
  std::vector<JsonPlace> places_;  ///< of the document, and of the values on the path in it
};

}  // namespace

std::string text_of(const JsonPath& path) {
  if (path.empty()) return "the document";
  std::string text;
  for (const JsonStep& step : path) {
    if (step.member.empty())
      text += fmt::format("[{}]", step.item);
    else
      text += (text.empty() ? "" : ".") + step.member;
  }
  return text;
}

JsonPlace place_of(std::string_view json, const JsonPath& path) {
  return Locator(json, path).locate();
}

}  // namespace memonline::apply
