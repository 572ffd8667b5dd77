// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads fields of a YAML tree, with a message for each mistake. Only for the two files that read
// packages.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/diag/diagnostic.hpp"
#include "compiler/source/source.hpp"
#include "runtime/policy/package.hpp"
#include "runtime/policy/yaml_tree.hpp"

namespace memonline::policy {

class Fields {
 public:
  Fields(const source::SourceFile& file, std::uint32_t number, diag::Sink& sink)
      : file_(file), number_(number), sink_(sink) {}

  [[nodiscard]] const source::SourceFile& file() const { return file_; }

  diag::Diagnostic& add(diag::Code code, const YamlValue& at, std::string message);
  /// `what` is "a policy package", "a test", ...
  bool expect_map(const YamlValue& value, std::string_view what);
  bool expect_list(const YamlValue& value, std::string_view key);
  /// Reports unknown keys, keys that are not words, and duplicate keys.
  void check_keys(const YamlValue& map, const std::vector<std::string_view>& known);
  const YamlValue* required(const YamlValue& map, std::string_view key);
  /// Text that is not empty.
  std::optional<std::string> text(const YamlValue& value, std::string_view key);

 private:
  const source::SourceFile& file_;
  std::uint32_t number_;
  diag::Sink& sink_;
};

/// The `tests:` of a package.
std::vector<PackageTest> read_tests(Fields& fields, const YamlValue& tests);

}  // namespace memonline::policy
