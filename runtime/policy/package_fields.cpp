// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/policy/package_fields.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "compiler/text/similar.hpp"

namespace memonline::policy {

namespace {

std::string_view kind_text(const YamlValue& value) {
  switch (value.kind) {
    case YamlValue::Kind::Null: return "empty";
    case YamlValue::Kind::Scalar: return "a string";
    case YamlValue::Kind::List: return "a list";
    case YamlValue::Kind::Map: return "a map";
  }
  return "empty";
}

}  // namespace

diag::Diagnostic& Fields::add(diag::Code code, const YamlValue& at, std::string message) {
  const auto size = static_cast<std::uint32_t>(file_.text().size());
  const std::uint32_t begin = std::min(at.begin, size);
  return sink_.add(code, source::SourceSpan{number_, begin, std::clamp(at.end, begin, size)},
                   std::move(message));
}

bool Fields::expect_map(const YamlValue& value, std::string_view what) {
  if (value.is_map()) return true;
  add(diag::Code::PackageWrongType, value,
      fmt::format("{} must be a map, but is {}", what, kind_text(value)));
  return false;
}

bool Fields::expect_list(const YamlValue& value, std::string_view key) {
  if (value.is_list()) return true;
  add(diag::Code::PackageWrongType, value,
      fmt::format("`{}` must be a list, but is {}", key, kind_text(value)));
  return false;
}

void Fields::check_keys(const YamlValue& map, const std::vector<std::string_view>& known) {
  for (auto entry = map.entries.begin(); entry != map.entries.end(); ++entry) {
    const YamlValue& key = entry->first;
    if (!key.is_scalar()) {
      add(diag::Code::PackageWrongType, key, "a key must be a word");
      continue;
    }
    const bool twice = std::any_of(map.entries.begin(), entry, [&](const auto& earlier) {
      return earlier.first.is_scalar() && earlier.first.text == key.text;
    });
    if (twice) {
      add(diag::Code::PackageDuplicateKey, key, fmt::format("duplicate key `{}`", key.text));
    } else if (std::find(known.begin(), known.end(), key.text) == known.end()) {
      auto& d = add(diag::Code::PackageUnknownKey, key, fmt::format("unknown key `{}`", key.text));
      const std::string_view near = most_similar(key.text, known);
      if (!near.empty()) {
        d.help = fmt::format("did you mean `{}`?", near);
        d.fixit = diag::FixIt{*d.span, std::string(near)};
      } else {
        d.help = fmt::format("known keys: {}", [&] {
          std::string list;
          for (const std::string_view word : known)
            list += fmt::format("{}`{}`", list.empty() ? "" : ", ", word);
          return list;
        }());
      }
    }
  }
}

const YamlValue* Fields::required(const YamlValue& map, std::string_view key) {
  if (const YamlValue* value = map.find(key)) return value;
  add(diag::Code::PackageMissingKey, map, fmt::format("missing key `{}`", key));
  return nullptr;
}

std::optional<std::string> Fields::text(const YamlValue& value, std::string_view key) {
  if (value.is_scalar() && !value.text.empty()) return value.text;
  add(diag::Code::PackageWrongType, value,
      fmt::format("`{}` must be a string, but is {}", key,
                  value.is_scalar() ? "empty" : kind_text(value)));
  return std::nullopt;
}

}  // namespace memonline::policy
