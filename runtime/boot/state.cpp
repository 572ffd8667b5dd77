// SPDX-License-Identifier: LGPL-2.1-or-later
#include "runtime/boot/state.hpp"

#include <nlohmann/json.hpp>

#include "runtime/boot/places.hpp"

namespace memonline::boot {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kSchema = "memonline.boot-parameters/1";

bool take(const Json& json, const char* name, Words& words) {
  if (!json.contains(name) || !json[name].is_array()) return false;
  for (const Json& word : json[name]) {
    if (!word.is_string()) return false;
    words.push_back(word.get<std::string>());
  }
  return true;
}

bool take(const Json& json, std::vector<Predicted>& predicted) {
  if (!json.is_array()) return false;
  for (const Json& one : json) {
    if (!one.is_object() || !one.value("node", Json()).is_number_unsigned() ||
        !one.value("zones", Json()).is_object())
      return false;
    Predicted& node = predicted.emplace_back();
    node.node = one["node"].get<std::uint32_t>();
    for (const auto& [zone, bytes] : one["zones"].items()) {
      if (!bytes.is_number_unsigned()) return false;
      node.zones[zone] = bytes.get<std::uint64_t>();
    }
  }
  return true;
}

void add(Words& all, const Words& more) {
  for (const std::string& word : more)
    if (!holds(all, word)) all.push_back(word);
}

}  // namespace

std::optional<State> read_state(const Root& root) {
  if (!root.exists(kStatePath)) return State{};
  const auto text = root.read(kStatePath);
  if (!text) return std::nullopt;
  const Json json = Json::parse(*text, nullptr, false);
  State state;
  if (!json.is_object() || json.value("schema", Json()) != kSchema ||
      !json.value("back_end", Json()).is_string() || !json.value("pending", Json()).is_boolean() ||
      !take(json, "words", state.words) || !take(json, "made", state.made) ||
      !take(json.value("predicted", Json()), state.predicted))
    return std::nullopt;
  state.back_end = json["back_end"].get<std::string>();
  state.pending = json["pending"].get<bool>();
  return state;
}

std::string to_json(const State& state) {
  Json json;
  json["schema"] = kSchema;
  json["back_end"] = state.back_end;
  json["words"] = state.words;
  json["pending"] = state.pending;
  json["made"] = state.made;
  json["predicted"] = Json::array();
  for (const Predicted& node : state.predicted)
    json["predicted"].push_back({{"node", node.node}, {"zones", node.zones}});
  return json.dump(2) + "\n";
}

Words own_parameters(const std::string& path) {
  const Root root(path);
  Words own;
  if (const auto state = read_state(root)) own = state->words;
  add(own, drop_in_words(root.read(kGrubDropIn).value_or("")));
  add(own, words_of(root.read(kSdbootDropIn).value_or("")));
  for (const std::string& line : entry_lines(root, "x-options-source-memonline"))
    add(own, words_of(line));
  return own;
}

}  // namespace memonline::boot
