// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/apply/json_place.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

namespace memonline::apply {

namespace {

class Scanner {
 public:
  explicit Scanner(std::string_view json) : json_(json) {}

  // The value that starts at or behind `at`.
  [[nodiscard]] JsonPlace value(std::size_t at) const {
    at = behind_space(at);
    if (at >= json_.size()) return {json_.size(), json_.size()};
    if (json_[at] == '"') return {at, string_end(at)};
    if (json_[at] != '{' && json_[at] != '[')
      return {at, std::min(json_.find_first_of(",]} \t\r\n", at), json_.size())};
    std::size_t depth = 0;
    for (std::size_t i = at; i < json_.size(); ++i) {
      const char c = json_[i];
      if (c == '"') {
        i = string_end(i) - 1;
      } else if (c == '{' || c == '[') {
        ++depth;
      } else if ((c == '}' || c == ']') && --depth == 0) {
        return {at, i + 1};
      }
    }
    return {at, json_.size()};
  }

  [[nodiscard]] std::optional<JsonPlace> inside(const JsonPlace& outer,
                                                const JsonStep& step) const {
    const bool object = outer.begin < json_.size() && json_[outer.begin] == '{';
    const bool list = outer.begin < json_.size() && json_[outer.begin] == '[';
    if (step.member.empty() ? !list : !object) return std::nullopt;
    std::optional<JsonPlace> found;
    std::size_t at = behind_space(outer.begin + 1);
    for (std::size_t number = 0; at + 1 < outer.end; ++number) {
      bool is_it = number == step.item;
      if (object) {
        const std::size_t end = string_end(at);
        is_it = json_.substr(at, end - at) == '"' + step.member + '"';
        at = behind_space(end) + 1;  // the colon
      }
      const JsonPlace here = value(at);
      if (is_it) found = here;
      if (is_it && list) break;
      at = behind_space(behind_space(here.end) + 1);  // the comma
    }
    return found;
  }

 private:
  [[nodiscard]] std::size_t behind_space(std::size_t at) const {
    return std::min(json_.find_first_not_of(" \t\r\n", at), json_.size());
  }
  [[nodiscard]] std::size_t string_end(std::size_t at) const {
    for (std::size_t i = at + 1; i < json_.size(); ++i) {
      if (json_[i] == '"') return i + 1;
      if (json_[i] == '\\') ++i;
    }
    return json_.size();
  }

  std::string_view json_;
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
  const Scanner scanner(json);
  const bool marked = json.starts_with("\xEF\xBB\xBF");
  JsonPlace place = scanner.value(marked ? 3 : 0);
  for (const JsonStep& step : path) {
    const auto inner = scanner.inside(place, step);
    if (!inner) break;
    place = *inner;
  }
  return place;
}

}  // namespace memonline::apply
