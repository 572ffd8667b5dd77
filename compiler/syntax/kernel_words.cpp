// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/syntax/kernel_words.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "compiler/language/targets.hpp"
#include "compiler/syntax/place.hpp"
#include "compiler/syntax/vocabulary.hpp"

namespace memonline::syntax {

using diag::Diagnostic;

namespace {

struct Entry {
  std::string_view name;
  KernelWord word;
  bool parameter;  ///< of the kernel command line; else a file below /sys
};
constexpr std::array<Entry, 9> kEntries{{
    {"kernelcore", KernelWord::Kernelcore, true},
    {"movablecore", KernelWord::Movablecore, true},
    {"movable_node", KernelWord::MovableNode, true},
    {"memhp_default_state", KernelWord::DefaultState, true},
    {"auto_online_blocks", KernelWord::DefaultState, false},
    {"online_policy", KernelWord::OnlinePolicy, false},
    {"auto_movable_ratio", KernelWord::MovableRatio, false},
    {"auto_movable_numa_aware", KernelWord::NumaAware, false},
    {"memmap_on_memory", KernelWord::MemmapOnMemory, true},
}};

const Entry* entry_of(std::string_view word) {
  for (const Entry& entry : kEntries)
    if (is_one_of(word, {entry.name})) return &entry;
  return nullptr;
}

bool all_digits(std::string_view text) {
  for (const char c : text)
    if (c < '0' || c > '9') return false;
  return !text.empty();
}

/// "50%", "4G", "4096m" as an amount of the language; empty where it is none (`mirror`, bytes).
std::string amount_for(std::string_view value) {
  const std::size_t end = std::min(value.find_first_not_of("0123456789"), value.size());
  const std::string_view number = value.substr(0, end);
  const std::string_view unit = value.substr(end);
  if (!all_digits(number) || number.size() > 6 ||
      number.find_first_not_of('0') == std::string_view::npos)
    return {};
  if (unit == "%") return number.size() < 3 ? fmt::format("{}%", number) : std::string();
  const std::string_view meant = unit_of(unit);
  return meant.empty() || meant == "blocks" || meant == "%" ? std::string()
                                                            : fmt::format("{}{}", number, meant);
}

std::string_view target_for(std::string_view state) {
  const auto target = in_any_case(language::kStates, state);
  return target ? name_in(language::kTargets, *target) : std::string_view();
}

/// 301 percent are 3.01 times.
std::string times_for(std::string_view percent) {
  if (!all_digits(percent) || percent.size() > 6 ||
      percent.find_first_not_of('0') == std::string_view::npos)
    return {};
  const std::string padded =
      std::string(percent.size() < 3 ? 3 - percent.size() : 0, '0') + std::string(percent);
  const std::size_t point = padded.size() - 2;
  std::string text = fmt::format("{}.{}", padded.substr(0, point), padded.substr(point));
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

std::string_view remedy_for(KernelWord word) {
  switch (word) {
    case KernelWord::Kernelcore:
      return "write the target of boot memory, for example `boot: 50% normal, rest movable`; the "
             "plan chooses the parameter";
    case KernelWord::Movablecore:
      return "write the target of boot memory, for example `boot: 50% movable, rest normal`; the "
             "plan chooses the parameter";
    case KernelWord::MovableNode:
      return "write which memory becomes movable, for example `node1: movable`; the plan chooses "
             "the parameter where it fits";
    case KernelWord::DefaultState:
      return "write the target of hot-added memory, for example `hotplugged: movable`";
    case KernelWord::OnlinePolicy:
    case KernelWord::NumaAware:
      return "write the target of hot-added memory, for example `hotplugged: auto` and `limit "
             "movable "
             "to 3x normal per node`; the plan chooses the setting";
    case KernelWord::MovableRatio: return "write a limit, for example `limit movable to 3x normal`";
    case KernelWord::MemmapOnMemory:
      return "write `set memmap-on-memory = on`, `off`, `force` or `leave`";
  }
  return {};
}

}  // namespace

std::optional<KernelWord> kernel_word_of(std::string_view word) {
  const Entry* entry = entry_of(word);
  return entry != nullptr ? std::optional(entry->word) : std::nullopt;
}

std::string statement_for(KernelWord word, std::string_view value) {
  switch (word) {
    case KernelWord::Kernelcore:
    case KernelWord::Movablecore: {
      const std::string amount = amount_for(value);
      if (amount.empty()) return {};
      return word == KernelWord::Kernelcore ? fmt::format("boot: {} normal, rest movable", amount)
                                            : fmt::format("boot: {} movable, rest normal", amount);
    }
    case KernelWord::DefaultState: {
      const std::string_view target = target_for(value);
      return target.empty() ? std::string() : fmt::format("hotplugged: {}", target);
    }
    case KernelWord::MovableRatio: {
      const std::string times = times_for(value);
      return times.empty() ? std::string() : fmt::format("limit movable to {}x normal", times);
    }
    case KernelWord::MemmapOnMemory: {
      const char* set = is_one_of(value, {"1", "y", "yes", "on", "true"})    ? "on"
                        : is_one_of(value, {"0", "n", "no", "off", "false"}) ? "off"
                        : is_one_of(value, {"force"})                        ? "force"
                                                                             : nullptr;
      return set == nullptr ? std::string() : fmt::format("set memmap-on-memory = {}", set);
    }
    case KernelWord::MovableNode:
    case KernelWord::OnlinePolicy:
    case KernelWord::NumaAware: return {};
  }
  return {};
}

bool report_kernel_word(const StatementText& statement, diag::Sink& sink) {
  const std::vector<Piece>& pieces = statement.pieces;
  std::size_t at = !pieces.empty() && pieces[0].is("set") ? 1 : 0;
  if (at + 2 < pieces.size() && pieces[at].is("memory_hotplug") && pieces[at + 1].is(".")) at += 2;
  if (at >= pieces.size() || !pieces[at].word()) return false;
  const Entry* entry = entry_of(pieces[at].text);
  if (entry == nullptr) return false;
  // Nothing may follow but a value, with or without a sign before it.
  const bool assigned =
      at + 1 < pieces.size() && (pieces[at + 1].is("=") || pieces[at + 1].is(":"));
  if (at + 1 < pieces.size() && !assigned && !pieces[at + 1].number() && !pieces[at + 1].word())
    return false;
  const std::size_t first = at + (assigned ? 2 : 1);
  std::string_view value;
  if (first < pieces.size())
    value = statement.text.substr(pieces[first].begin, pieces.back().end - pieces[first].begin);
  Diagnostic& d = sink.add(diag::Code::KernelWord, statement.span(pieces[at].begin, pieces[at].end),
                           fmt::format("`{}` is a {}, not a policy statement", pieces[at].text,
                                       entry->parameter ? "kernel parameter" : "kernel setting"));
  const std::string instead = statement_for(entry->word, value);
  if (instead.empty()) {
    d.help = remedy_for(entry->word);
    return true;
  }
  d.help = fmt::format("write `{}`", instead);
  fix(d, statement.span(pieces.front().begin, pieces.back().end), instead);
  return true;
}

}  // namespace memonline::syntax
