// SPDX-License-Identifier: LGPL-2.1-or-later
// The outer fields of a package and the policy in it; its tests are read in package_tests.cpp.
#include "runtime/policy/package.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "compiler/syntax/foreign_document.hpp"
#include "runtime/policy/package_fields.hpp"
#include "runtime/policy/yaml_tree.hpp"

namespace memonline::policy {

namespace {

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    lines.push_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

/// The block scalar as a source file. yaml-cpp gives the text without its indentation, which
/// follows from comparing its first line that is not blank with the file's, with or without an
/// indentation indicator.
std::optional<Package> read_block(Fields& fields, const YamlValue& value) {
  const source::SourceFile& outer = fields.file();
  const std::string_view text = outer.text();
  if (value.begin >= text.size() || text[value.begin] != '|') {
    auto& d = fields.add(diag::Code::PackagePolicyNotLiteral, value,
                         "the policy must be a literal block");
    d.help = "write `policy: |` and the policy in the lines below it, indented";
    return std::nullopt;
  }
  Package package{{}, {}, {}, {}, {}, source::SourceFile({}, {}), 0, 0, 0, {}};
  const auto outer_lines = lines_of(text);
  package.first_line = outer.place(value.begin).line;  // counted from 0: the line below
  const auto inner_lines = lines_of(value.text);
  package.lines = static_cast<std::uint32_t>(inner_lines.size());
  for (std::size_t i = 0; i < inner_lines.size(); ++i) {
    const std::size_t at = package.first_line + i;
    if (inner_lines[i].empty() || at >= outer_lines.size()) continue;
    const std::size_t longer = outer_lines[at].size();
    package.indent = static_cast<std::uint32_t>(longer - std::min(longer, inner_lines[i].size()));
    break;
  }
  std::vector<source::EmbeddedLine> origin;
  for (std::uint32_t i = 0; i <= package.lines; ++i)
    origin.push_back({package.first_line + i + 1, package.indent});
  package.policy = source::SourceFile(outer.path(), value.text, outer.digest(), std::move(origin));
  return package;
}

}  // namespace

bool is_package_name(std::string_view path) {
  constexpr std::string_view kEnd = ".yaml";
  return path.size() > kEnd.size() && path.substr(path.size() - kEnd.size()) == kEnd;
}

namespace {

std::optional<Package> read_fields(const source::SourceSet& files, std::uint32_t file,
                                   diag::Sink& sink) {
  Fields fields(files[file], file, sink);
  const auto root = read_yaml(files[file].text());
  if (!root) {
    YamlValue place;
    place.begin = root.error().begin;
    place.end = place.begin + 1;
    if (root.error().limit)
      fields.add(diag::Code::PackageTooComplex, place, root.error().message);
    else
      fields.add(diag::Code::PackageNotYaml, place,
                 fmt::format("invalid YAML: {}", root.error().message));
    return std::nullopt;
  }
  if (!fields.expect_map(*root, "a policy package")) return std::nullopt;

  // The schema first: with another one, all other errors would be misleading.
  const YamlValue* schema = fields.required(*root, "schema");
  if (schema == nullptr) return std::nullopt;
  if (!schema->is_scalar() || schema->text != kPackageSchema) {
    auto& d = fields.add(diag::Code::PackageWrongSchema, *schema,
                         fmt::format("unsupported schema: expected `{}`", kPackageSchema));
    d.help = fmt::format("write `schema: {}`; other schemas need another version of memonline",
                         kPackageSchema);
    return std::nullopt;
  }
  fields.check_keys(
      *root, {"schema", "version", "name", "summary", "description", "who", "policy", "tests"});

  std::optional<Package> package;
  if (const YamlValue* policy = fields.required(*root, "policy"))
    package = read_block(fields, *policy);
  const auto text = [&](const char* key, bool required, std::string Package::*member) {
    const YamlValue* value = required ? fields.required(*root, key) : root->find(key);
    if (value == nullptr) return;
    const auto read = fields.text(*value, key);
    if (read && package) (*package).*member = *read;
  };
  text("version", true, &Package::version);
  text("name", true, &Package::name);
  text("summary", true, &Package::summary);
  text("description", false, &Package::description);
  text("who", false, &Package::who);
  if (const YamlValue* tests = root->find("tests")) {
    auto read = read_tests(fields, *tests);
    if (package) package->tests = std::move(read);
  }
  if (sink.has_errors()) return std::nullopt;
  return package;
}

}  // namespace

std::optional<Package> read_package(const source::SourceSet& files, std::uint32_t file,
                                    diag::Sink& sink) {
  diag::Sink found;
  auto package = read_fields(files, file, found);
  // If the file is something else, missing keys of a package are no help.
  if (package || !syntax::report_foreign_package(files, file, sink)) sink.append(found);
  return package;
}

}  // namespace memonline::policy
