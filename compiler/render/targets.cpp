// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/render/targets.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "compiler/plan/hotplug.hpp"
#include "compiler/sema/resolve.hpp"

namespace memonline::render {

using plan::Plan;
using sema::SimpleClass;

namespace {

std::string_view name_of(TargetFile target) {
  switch (target) {
    case TargetFile::Udev: return "udev";
    case TargetFile::Tmpfiles: return "tmpfiles";
    case TargetFile::Cmdline: return "cmdline";
    case TargetFile::Tuned: return "tuned";
  }
  return "";
}

/// What stands behind `#` must not end the line early.
std::string comment(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  return "# " + text + "\n";
}

std::string heading(TargetFile target) {
  return comment(
      fmt::format("Made by `memonline generate {}`: what the policy says of memory that "
                  "is added, without the service.",
                  name_of(target)));
}

std::string rule_comment(const plan::RuleRef& rule) {
  if (rule.path.empty()) return {};
  return comment(fmt::format("{}:{}:{}: {}", rule.path, rule.line, rule.column, rule.text));
}

diag::Diagnostic& refuse(diag::Sink& sink, TargetFile target,
                         std::optional<source::SourceSpan> where, std::string_view why) {
  return sink.add(diag::Code::TargetCannotExpress, where,
                  fmt::format("{} cannot express this policy: {}", name_of(target), why));
}

// ---- the kernel's switches ----

std::string knob_path(const std::string& knob) {
  return knob == "auto_online_blocks" ? "/sys/devices/system/memory/auto_online_blocks"
                                      : "/sys/module/memory_hotplug/parameters/" + knob;
}

std::string parameter_of(const std::string& knob, const std::string& value) {
  return knob == "auto_online_blocks" ? "memhp_default_state=" + value
                                      : fmt::format("memory_hotplug.{}={}", knob, value);
}

std::vector<std::string> words_of(const Plan& plan) {
  std::vector<std::string> words = plan.boot.parameters;
  for (const auto& [knob, value] : plan.hotplug.knobs) {
    std::string word = parameter_of(knob, value);
    if (std::find(words.begin(), words.end(), word) == words.end())
      words.push_back(std::move(word));
  }
  return words;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

bool switches_do(TargetFile target, const Plan& plan, diag::Sink& sink) {
  if (plan.hotplug.by == "kernel") return true;
  auto& d = refuse(sink, target, std::nullopt, plan.hotplug.why);
  if (!plan.hotplug.rule.path.empty())
    d.notes.push_back(fmt::format("{}:{}:{}: `{}`", plan.hotplug.rule.path, plan.hotplug.rule.line,
                                  plan.hotplug.rule.column, plan.hotplug.rule.text));
  d.help = "memonlined does it; or write one target for all memory that is added";
  return false;
}

std::optional<std::string> tmpfiles(const Plan& plan, diag::Sink& sink) {
  if (!switches_do(TargetFile::Tmpfiles, plan, sink)) return std::nullopt;
  if (!plan.boot.parameters.empty()) {
    refuse(sink, TargetFile::Tmpfiles, std::nullopt,
           fmt::format("it needs `{}`, which only the kernel command line takes",
                       joined(plan.boot.parameters)))
        .help = "`memonline generate cmdline` or `generate tuned` write such words";
    return std::nullopt;
  }
  std::string text = heading(TargetFile::Tmpfiles) +
                     comment("Memory that is there before systemd-tmpfiles runs stays as it is.") +
                     rule_comment(plan.hotplug.rule);
  for (const auto& [knob, value] : plan.hotplug.knobs)
    text += fmt::format("w- {} - - - - {}\n", knob_path(knob), value);
  return text;
}

std::optional<std::string> cmdline(const Plan& plan, diag::Sink& sink) {
  if (!switches_do(TargetFile::Cmdline, plan, sink)) return std::nullopt;
  return joined(words_of(plan)) + "\n";
}

std::optional<std::string> tuned(const Plan& plan, diag::Sink& sink) {
  if (!switches_do(TargetFile::Tuned, plan, sink)) return std::nullopt;
  std::string text =
      heading(TargetFile::Tuned) + rule_comment(plan.hotplug.rule) +
      "[main]\nsummary=Memory that is added comes online as a memonline policy says\n";
  if (const auto words = words_of(plan); !words.empty())
    text += fmt::format("\n[bootloader]\ncmdline_memonline={}\n", joined(words));
  if (!plan.hotplug.knobs.empty()) text += "\n[sysfs]\n";
  for (const auto& [knob, value] : plan.hotplug.knobs)
    text += fmt::format("{}={}\n", knob_path(knob), value);
  return text;
}

// ---- udev ----

using Ids = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

/// Names of one match; udev takes lines of 16 KiB.
constexpr std::uint64_t kNamesOfALine = 64;

std::string_view word_of(sema::Target target) {
  switch (target) {
    case sema::Target::Movable: return "online_movable";
    case sema::Target::Normal: return "online_kernel";
    case sema::Target::Auto: return "online";
    case sema::Target::Offline:
    case sema::Target::Keep: return "";
  }
  return "";
}

bool is(const sema::Class& one, SimpleClass wanted) {
  const auto* simple = std::get_if<SimpleClass>(&one.is);
  return simple != nullptr && *simple == wanted;
}

class UdevRules {
 public:
  UdevRules(const source::SourceSet& files, const model::Host& host, diag::Sink& sink)
      : files_(files), host_(host), sink_(sink) {}

  bool add(const sema::Rule& rule) {
    const auto target = plan::uniform_target(rule);
    const bool of_boot =
        std::any_of(rule.selector.classes.begin(), rule.selector.classes.end(),
                    [](const sema::Class& one) { return is(one, SimpleClass::Boot); });
    if (of_boot) {
      if (target == sema::Target::Keep) return true;
      return refused(rule, "no event comes for boot memory, which the kernel command line decides",
                     "`memonline generate cmdline` writes such words");
    }
    if (!target)
      return refused(rule, "it sees one block at a time and cannot share out",
                     "memonlined does it; or write one target for the whole");
    if (!rule.selector.except.empty())
      return refused(rule.selector.except.front(), "it has no `except`",
                     "write what is excepted as a rule of its own, before this one");
    std::optional<Ids> ids;
    for (const sema::Class& one : rule.selector.classes)
      if (!narrow(one, ids)) return false;
    text_ += rule_comment(plan::rule_ref(files_, rule.span));
    emit(ids, word_of(*target));
    return true;
  }

  [[nodiscard]] std::string finish() const {
    return heading(TargetFile::Udev) +
           comment("It needs auto_online_blocks=offline: udev hears of what the kernel leaves.") +
           "SUBSYSTEM!=\"memory\", GOTO=\"memonline_end\"\n"
           "ACTION!=\"add\", GOTO=\"memonline_end\"\n"
           "ATTR{state}!=\"offline\", GOTO=\"memonline_end\"\n" +
           text_ + "LABEL=\"memonline_end\"\n";
  }

 private:
  template <class Spanned>
  bool refused(const Spanned& what, std::string_view why, std::string_view help) {
    refuse(sink_, TargetFile::Udev, what.span, why).help = help;
    return false;
  }

  /// What of the blocks is left by one more condition; all blocks are an empty optional.
  bool narrow(const sema::Class& one, std::optional<Ids>& ids) {
    if (is(one, SimpleClass::All) || is(one, SimpleClass::Hotplugged) || is(one, SimpleClass::Node))
      return true;
    Ids more;
    if (const auto* list = std::get_if<sema::BlockList>(&one.is)) {
      more = list->ranges;
    } else if (const auto* range = std::get_if<sema::AddressRange>(&one.is)) {
      const std::uint64_t size = host_.block_size.value();
      const std::uint64_t first = range->first / size + (range->first % size == 0 ? 0 : 1);
      const std::uint64_t end = range->last / size + (range->last % size == size - 1 ? 1 : 0);
      if (first < end) more.emplace_back(first, end - 1);
    } else {
      return refused(one, "it hears of a block before the kernel shows its node or device",
                     "memonlined waits for them; by `block` or `address` a rule can select");
    }
    ids = ids ? common(*ids, more) : more;
    return true;
  }

  static Ids common(const Ids& left, const Ids& right) {
    Ids both;
    for (const auto& [a, b] : left)
      for (const auto& [c, d] : right)
        if (std::max(a, c) <= std::min(b, d)) both.emplace_back(std::max(a, c), std::min(b, d));
    return both;
  }

  void emit(const std::optional<Ids>& ids, std::string_view word) {
    const std::string then =
        (word.empty() ? std::string() : fmt::format(R"(ATTR{{state}}="{}", )", word)) +
        "GOTO=\"memonline_end\"\n";
    if (!ids) {
      text_ += then;
      return;
    }
    std::string names;
    std::uint64_t count = 0;
    const auto line = [&] {
      if (count > 0) text_ += fmt::format(R"(KERNEL=="{}", )", names) + then;
      names.clear();
      count = 0;
    };
    for (const auto& [first, last] : *ids)
      for (std::uint64_t id = first; id <= std::min(last, last_block()); ++id) {
        names += fmt::format("{}memory{}", count == 0 ? "" : "|", id);
        if (++count == kNamesOfALine) line();
      }
    line();
  }
  /// Beyond what any machine has, a list is not written out.
  static std::uint64_t last_block() { return (std::uint64_t{1} << 20U) - 1; }

  const source::SourceSet& files_;
  const model::Host& host_;
  diag::Sink& sink_;
  std::string text_;
};

std::optional<std::string> udev(const sema::Policy& policy, const source::SourceSet& files,
                                const model::Host& host, diag::Sink& sink) {
  diag::Sink known;  // planning has said it all
  const sema::FlatPolicy flat = sema::resolve(policy, host, known);
  if (!flat.limits.empty()) {
    refuse(sink, TargetFile::Udev, flat.limits.front().span,
           "it sees one block at a time and knows no limit")
        .help = "memonlined keeps limits";
    return std::nullopt;
  }
  UdevRules rules(files, host, sink);
  for (const sema::Rule& rule : flat.rules)
    if (!rules.add(rule)) return std::nullopt;
  return rules.finish();
}

}  // namespace

std::optional<std::string> generate(TargetFile target, const Plan& plan, const sema::Policy& policy,
                                    const source::SourceSet& files, const model::Host& host,
                                    diag::Sink& sink) {
  switch (target) {
    case TargetFile::Udev: return udev(policy, files, host, sink);
    case TargetFile::Tmpfiles: return tmpfiles(plan, sink);
    case TargetFile::Cmdline: return cmdline(plan, sink);
    case TargetFile::Tuned: return tuned(plan, sink);
  }
  return std::nullopt;
}

}  // namespace memonline::render
