// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads typed values from a JSON document, and knows the path to each for messages. Only for
// plan_file.cpp and plan_steps.cpp: it throws Wrong, which read_plan() turns into a diagnostic.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "compiler/diag/diagnostic.hpp"
#include "compiler/model/facts.hpp"
#include "compiler/plan/plan.hpp"
#include "runtime/apply/json_place.hpp"

namespace memonline::apply {

using Json = nlohmann::json;

/// Bytes of a text of a plan: a diagnostic is the longest.
inline constexpr std::size_t kMaxPlanText = std::size_t{1} << 16U;

struct Wrong {
  diag::Code code;
  std::string message;
  std::string help;
};

/// Throws it.
[[noreturn]] void refuse(diag::Code code, std::string message, std::string help = {});

/// Walks through a document; the message is about the place where it threw.
class PlanReader {
 public:
  [[nodiscard]] const JsonPath& path() const { return path_; }
  [[nodiscard]] std::string here() const { return text_of(path_); }

  /// What `read` makes of a member that must be there.
  template <class Read>
  auto member(const Json& object, const char* name, Read read) {
    const Json& value = need(object, name);
    path_.push_back({name, 0});
    auto result = read(value);
    path_.pop_back();
    return result;
  }
  /// Calls `read` with each item of a list.
  template <class Read>
  void each(const Json& object, const char* name, Read read) {
    const Json& list = need(object, name);
    path_.push_back({name, 0});
    if (!list.is_array()) wrong_type(list, "a list");
    for (std::size_t i = 0; i < list.size(); ++i) {
      path_.push_back({"", i});
      read(list[i]);
      path_.pop_back();
    }
    path_.pop_back();
  }
  /// Calls `read` with the name and value of each member of an object.
  template <class Read>
  void each_member(const Json& object, const char* name, Read read) {
    const Json& inner = need(object, name);
    path_.push_back({name, 0});
    if (!inner.is_object()) wrong_type(inner, "an object");
    for (const auto& [key, value] : inner.items()) {
      path_.push_back({key, 0});
      read(key, value);
      path_.pop_back();
    }
    path_.pop_back();
  }

  std::string text(const Json& object, const char* name);
  std::uint64_t number(const Json& object, const char* name,
                       std::uint64_t most = std::numeric_limits<std::uint64_t>::max());
  std::uint32_t small_number(const Json& object, const char* name);
  bool truth(const Json& object, const char* name);
  std::vector<std::string> texts(const Json& object, const char* name);

  std::string as_text(const Json& value) const;
  std::uint64_t as_number(const Json& value,
                          std::uint64_t most = std::numeric_limits<std::uint64_t>::max()) const;

  /// A text that must be one of these words.
  std::string word(const Json& object, const char* name,
                   std::initializer_list<std::string_view> words);
  [[noreturn]] void unknown_word(const std::string& word,
                                 const std::vector<std::string_view>& known) const;
  [[noreturn]] void wrong_type(const Json& value, std::string_view wanted) const;

  /// Makes the next message point to a member: its value was read, but is not plausible.
  void point_at(const char* member) { path_.push_back({member, 0}); }
  void enter_item(std::size_t item) { path_.push_back({"", item}); }
  void leave() { path_.pop_back(); }

 private:
  const Json& need(const Json& object, const char* name) const;
  JsonPath path_;
};

/// The kernel setting of this name, which a plan may set; any other is refused.
model::Knob settable_knob(const PlanReader& in, const std::string& name);
/// null or an object with path, line, column and text.
plan::RuleRef read_rule(PlanReader& in, const Json& object);
/// null or a number.
std::optional<model::NodeId> read_node(PlanReader& in, const Json& object);
/// [first, last].
model::WriteRun read_blocks(PlanReader& in, const Json& object);
/// The steps, each of them possible by itself.
std::vector<plan::Step> read_steps(PlanReader& in, const Json& document);
/// The steps' blocks are those of the facts, or an earlier step adds them; what is configured or
/// bound is unconfigured there.
void check_blocks(PlanReader& in, const plan::Plan& plan, const model::Facts& facts);

inline constexpr const char* kPlanAgain = "make a new plan with `memonline plan -o plan.json`";

}  // namespace memonline::apply
