// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/apply/plan_reader.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "compiler/model/knob.hpp"
#include "compiler/text/similar.hpp"
#include "runtime/host/text.hpp"

namespace memonline::apply {

namespace {

std::string_view kind_of(const Json& value) {
  switch (value.type()) {
    case Json::value_t::null: return "null";
    case Json::value_t::object: return "an object";
    case Json::value_t::array: return "a list";
    case Json::value_t::string: return "a string";
    case Json::value_t::boolean: return "a boolean";
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
    case Json::value_t::number_float: return "a number";
    case Json::value_t::binary:
    case Json::value_t::discarded: break;
  }
  return "nothing";
}

}  // namespace

const Json& PlanReader::need(const Json& object, const char* name) const {
  if (!object.is_object()) wrong_type(object, "an object");
  const auto at = object.find(name);
  if (at == object.end())
    refuse(diag::Code::PlanMissingMember,
           path_.empty() ? fmt::format("missing member `{}`", name)
                         : fmt::format("`{}` has no member `{}`", here(), name));
  return *at;
}

std::string PlanReader::text(const Json& object, const char* name) {
  return member(object, name, [&](const Json& value) { return as_text(value); });
}

std::uint64_t PlanReader::number(const Json& object, const char* name, std::uint64_t most) {
  return member(object, name, [&](const Json& value) { return as_number(value, most); });
}

std::uint32_t PlanReader::small_number(const Json& object, const char* name) {
  return static_cast<std::uint32_t>(
      number(object, name, std::numeric_limits<std::uint32_t>::max()));
}

bool PlanReader::truth(const Json& object, const char* name) {
  return member(object, name, [&](const Json& value) {
    if (!value.is_boolean()) wrong_type(value, "true or false");
    return value.get<bool>();
  });
}

std::vector<std::string> PlanReader::texts(const Json& object, const char* name) {
  std::vector<std::string> list;
  each(object, name, [&](const Json& value) { list.push_back(as_text(value)); });
  return list;
}

std::string PlanReader::as_text(const Json& value) const {
  if (!value.is_string()) wrong_type(value, "a string");
  auto text = value.get<std::string>();
  if (text.size() > kMaxPlanText)
    refuse(diag::Code::PlanTooLarge, fmt::format("`{}` has {} bytes; at most {} are read", here(),
                                                 text.size(), kMaxPlanText));
  return text;
}

std::uint64_t PlanReader::as_number(const Json& value, std::uint64_t most) const {
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > most)
    wrong_type(value, most == std::numeric_limits<std::uint64_t>::max()
                          ? "a whole number"
                          : fmt::format("a whole number up to {}", most));
  return value.get<std::uint64_t>();
}

std::string PlanReader::word(const Json& object, const char* name,
                             std::initializer_list<std::string_view> words) {
  return member(object, name, [&](const Json& value) {
    std::string text = as_text(value);
    if (std::find(words.begin(), words.end(), text) == words.end()) unknown_word(text, words);
    return text;
  });
}

void PlanReader::unknown_word(const std::string& word,
                              const std::vector<std::string_view>& known) const {
  std::string list;
  for (std::size_t i = 0; i < known.size(); ++i)
    list += fmt::format("{}`{}`", i == 0 ? "" : i + 1 < known.size() ? ", " : " or ", known[i]);
  const std::string_view near = known.size() > 1 ? most_similar(word, known) : std::string_view{};
  refuse(diag::Code::PlanUnknownWord,
         fmt::format("`{}` is `{}`, not {}", here(), runtime::ascii_only(word), list),
         near.empty() ? std::string{} : fmt::format("did you mean `{}`?", near));
}

void PlanReader::wrong_type(const Json& value, std::string_view wanted) const {
  const std::string what = path_.empty() ? here() : '`' + here() + '`';
  // Of a fraction, or a number that is too large, the message shows the value.
  const std::string found =
      value.is_number() ? runtime::ascii_only(value.dump()) : std::string(kind_of(value));
  refuse(diag::Code::PlanWrongType, fmt::format("{} is {}, not {}", what, found, wanted));
}

void refuse(diag::Code code, std::string message, std::string help) {
  throw Wrong{code, std::move(message), std::move(help)};
}

plan::RuleRef read_rule(PlanReader& in, const Json& object) {
  return in.member(object, "rule", [&](const Json& rule) {
    plan::RuleRef result;
    if (rule.is_null()) return result;
    result.path = in.text(rule, "path");
    result.line = in.small_number(rule, "line");
    result.column = in.small_number(rule, "column");
    result.text = in.text(rule, "text");
    return result;
  });
}

std::optional<model::NodeId> read_node(PlanReader& in, const Json& object) {
  return in.member(object, "node", [&](const Json& node) -> std::optional<model::NodeId> {
    if (node.is_null()) return std::nullopt;
    return model::NodeId(
        static_cast<std::uint32_t>(in.as_number(node, std::numeric_limits<std::uint32_t>::max())));
  });
}

model::WriteRun read_blocks(PlanReader& in, const Json& object) {
  std::vector<std::uint64_t> numbers;
  in.each(object, "blocks", [&](const Json& value) { numbers.push_back(in.as_number(value)); });
  if (numbers.size() != 2) {
    in.point_at("blocks");
    refuse(diag::Code::PlanWrongType,
           fmt::format("`{}` has {} number{}, not the first and the last block", in.here(),
                       numbers.size(), numbers.size() == 1 ? "" : "s"));
  }
  return {model::BlockId(numbers[0]), model::BlockId(numbers[1])};
}

model::Knob settable_knob(const PlanReader& in, const std::string& name) {
  std::vector<std::string_view> known;
  for (const model::KnobInfo& info : model::kKnobs) {
    if (!model::can_be_set(info.knob)) continue;
    if (info.name == name) return info.knob;
    known.push_back(info.name);
  }
  in.unknown_word(name, known);
}

}  // namespace memonline::apply
