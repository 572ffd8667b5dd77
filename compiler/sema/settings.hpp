// SPDX-License-Identifier: LGPL-2.1-or-later
// The settings of a policy, for whatever settings compiler/language/settings.hpp lists.
#pragma once

#include <optional>
#include <tuple>
#include <variant>

#include "compiler/language/settings.hpp"
#include "compiler/source/source.hpp"

namespace memonline::sema {

struct Setting {
  language::SettingValue value;
  source::SourceSpan span;
};

/// The value of each setting, and the statement that it is from. Written twice: the last holds.
class Settings {
  template <class Value>
  struct Entry {
    Value value{};  // the first: the default
    std::optional<source::SourceSpan> span;
  };
  template <class... Value>
  static std::tuple<Entry<Value>...> entries_of(const std::variant<Value...>&);

 public:
  void set(const Setting& setting) {
    const auto store = [&](auto value) {
      std::get<Entry<decltype(value)>>(entries_) = {value, setting.span};
    };
    std::visit(store, setting.value);
  }
  template <class Value>
  [[nodiscard]] Value get() const {
    return std::get<Entry<Value>>(entries_).value;
  }
  template <class Value>
  [[nodiscard]] bool is(Value value) const {
    return get<Value>() == value;
  }
  /// Empty: no statement, so that the default holds.
  template <class Value>
  [[nodiscard]] const std::optional<source::SourceSpan>& span() const {
    return std::get<Entry<Value>>(entries_).span;
  }

 private:
  decltype(entries_of(language::SettingValue())) entries_;
};

}  // namespace memonline::sema
