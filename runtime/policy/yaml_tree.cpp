// SPDX-License-Identifier: LGPL-2.1-or-later
// The one file of the policy reader that includes yaml-cpp; its exceptions end here.
#include "runtime/policy/yaml_tree.hpp"

#include <algorithm>
#include <istream>
#include <streambuf>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include "compiler/text/utf8.hpp"
#include "compiler/text/yaml_writer.hpp"

namespace memonline::policy {

namespace {

/// A stream over text that is not copied.
class TextBuffer : public std::streambuf {
 public:
  explicit TextBuffer(const std::string& text) {
    char* begin = const_cast<char*>(text.data());  // NOLINT: streambuf reads through char*
    setg(begin, begin, begin + text.size());
  }
};

class Builder : public YAML::EventHandler {
 public:
  explicit Builder(const std::string& text) : text_(text) {
    line_starts_.push_back(text.compare(0, 3, "\xEF\xBB\xBF") == 0 ? 3 : 0);
    for (std::size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 1))
      line_starts_.push_back(static_cast<std::uint32_t>(at + 1));
  }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(mark, YamlValue::Kind::Null, anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw YamlError{"aliases (`*name`) are not supported in packages", offset(mark), true};
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_tag(mark, tag);
    YamlValue& added = add(mark, YamlValue::Kind::Scalar, anchor);
    added.text = value;
    added.end = end_of(added.begin, value);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    refuse_tag(mark, tag);
    open(mark, YamlValue::Kind::List, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    refuse_tag(mark, tag);
    open(mark, YamlValue::Kind::Map, anchor);
  }
  void OnMapEnd() override { close(); }

  /// yaml-cpp counts lines and columns from 0, columns in bytes.
  [[nodiscard]] std::uint32_t offset(const YAML::Mark& mark) const {
    if (mark.line < 0 || line_starts_.size() <= static_cast<std::size_t>(mark.line))
      return static_cast<std::uint32_t>(text_.size());
    const std::size_t at = line_starts_[static_cast<std::size_t>(mark.line)] +
                           static_cast<std::size_t>(std::max(mark.column, 0));
    return static_cast<std::uint32_t>(std::min(at, text_.size()));
  }

  YamlValue root;

 private:
  static constexpr std::string_view kPlainTag = "?";
  static constexpr std::string_view kQuotedTag = "!";

  void refuse_tag(const YAML::Mark& mark, const std::string& tag) const {
    if (!tag.empty() && tag != kPlainTag && tag != kQuotedTag)
      throw YamlError{fmt::format("tags (`{}`) are not supported in packages", tag), offset(mark),
                      true};
  }

  YamlValue& add(const YAML::Mark& mark, YamlValue::Kind kind, YAML::anchor_t anchor) {
    const std::uint32_t begin = offset(mark);
    if (anchor != 0)
      throw YamlError{"anchors (`&name`) are not supported in packages", begin, true};
    if (++values_ > kMaxYamlValues)
      throw YamlError{fmt::format("the package has more than {} values", kMaxYamlValues), begin,
                      true};
    YamlValue value;
    value.kind = kind;
    value.begin = begin;
    value.end = begin + 1;
    if (open_.empty()) return root = std::move(value);
    YamlValue& parent = *open_.back();
    if (parent.is_list()) return parent.items.emplace_back(std::move(value));
    // In a map, keys and values alternate; a key has an empty value until its value follows.
    if (wants_value_.back()) {
      wants_value_.back() = false;
      return parent.entries.back().second = std::move(value);
    }
    wants_value_.back() = true;
    parent.entries.push_back({std::move(value), YamlValue{}});
    return parent.entries.back().first;
  }

  void open(const YAML::Mark& mark, YamlValue::Kind kind, YAML::anchor_t anchor) {
    YamlValue& added = add(mark, kind, anchor);
    if (open_.size() >= kMaxYamlDepth)
      throw YamlError{fmt::format("values are nested more than {} levels deep", kMaxYamlDepth),
                      added.begin, true};
    // Containers that hold `added` do not grow before it is closed, so the pointer stays good.
    open_.push_back(&added);
    wants_value_.push_back(false);
  }
  void close() {
    open_.pop_back();
    wants_value_.pop_back();
  }

  [[nodiscard]] std::uint32_t end_of(std::uint32_t begin, const std::string& value) const {
    std::size_t length = 1;
    if (!value.empty() && text_.compare(begin, value.size(), value) == 0) length = value.size();
    if (begin < text_.size() && (text_[begin] == '"' || text_[begin] == '\''))
      length = value.size() + 2;
    const std::size_t line_end = std::min(text_.find_first_of("\r\n", begin), text_.size());
    return static_cast<std::uint32_t>(std::max<std::size_t>(
        std::min(begin + length, line_end), std::min<std::size_t>(begin + 1, text_.size())));
  }

  const std::string& text_;
  std::vector<std::uint32_t> line_starts_;
  std::vector<YamlValue*> open_;
  std::vector<bool> wants_value_;
  std::size_t values_ = 0;
};

void append_flow(const YamlValue& value, text::YamlWriter& out) {
  switch (value.kind) {
    case YamlValue::Kind::Null: out.null(); return;
    case YamlValue::Kind::Scalar: out.quoted(value.text); return;
    case YamlValue::Kind::List:
      out.begin_array(text::Layout::Line);
      for (const YamlValue& item : value.items) append_flow(item, out);
      out.end_array();
      return;
    case YamlValue::Kind::Map:
      out.begin_object(text::Layout::Line);
      for (const auto& [name, member] : value.entries)
        append_flow(member, out.quoted_key(name.text));
      out.end_object();
      return;
  }
}

}  // namespace

const YamlValue* YamlValue::find(std::string_view key) const {
  for (const auto& [name, value] : entries)
    if (name.is_scalar() && name.text == key) return &value;
  return nullptr;
}

Result<YamlValue, YamlError> read_yaml(const std::string& text) {
  if (text.size() > kMaxYamlSize)
    return fail(YamlError{"the package is larger than 1 MiB", 0, true});
  if (const auto nul = text.find('\0'); nul != std::string::npos)
    return fail(
        YamlError{"NUL byte: packages must be UTF-8 text", static_cast<std::uint32_t>(nul), false});
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = text::utf8_length(text, at);
    if (length == 0)
      return fail(YamlError{"invalid UTF-8: packages must be UTF-8 text",
                            static_cast<std::uint32_t>(at), false});
    at += length;
  }
  Builder builder(text);
  try {
    TextBuffer buffer(text);
    std::istream stream(&buffer);
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder)) return YamlValue{};
    Builder more(text);
    if (parser.HandleNextDocument(more))
      return fail(YamlError{"the package has more than one YAML document", more.root.begin, true});
    return std::move(builder.root);
  } catch (const YamlError& error) {
    return fail(error);
  } catch (const YAML::Exception& error) {
    return fail(YamlError{error.msg, builder.offset(error.mark), false});
  }
}

std::string to_flow_yaml(const YamlValue& value) {
  text::YamlWriter out;
  append_flow(value, out);
  return std::move(out).finish();
}

}  // namespace memonline::policy
