// SPDX-License-Identifier: LGPL-2.1-or-later
#include "compiler/render/targets.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "compiler/model/knob.hpp"
#include "compiler/plan/hotplug.hpp"
#include "compiler/sema/resolve.hpp"

namespace memonline::render {

using model::Knob;
using plan::Plan;
using sema::SimpleClass;

namespace {

constexpr std::string_view kDefaultState = "memhp_default_state";

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

void name_rule(diag::Diagnostic& d, const plan::RuleRef& rule) {
  if (!rule.path.empty())
    d.notes.push_back(fmt::format("{}:{}:{}: `{}`", rule.path, rule.line, rule.column, rule.text));
}

// ---- what a plan does beside new memory ----

bool starts_with(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

bool is_of_boot(const model::Host& host, model::BlockId id) {
  return std::any_of(host.blocks.begin(), host.blocks.end(), [&](const model::BlockRun& run) {
    return run.first <= id && id.value() < run.first.value() + run.count &&
           host.devices.at(run.device).origin == model::Origin::Boot;
  });
}

/// What a file is made of, and where refusals go.
struct Job {
  TargetFile target;
  const Plan& plan;
  const sema::FlatPolicy& flat;
  const source::SourceSet& files;
  const model::Host& host;
  diag::Sink& sink;
};

/// The rule that wants boot memory Movable, which only a word of the kernel command line makes so.
std::optional<source::SourceSpan> rule_of_boot_zones(const Job& job) {
  for (const plan::Skipped& skipped : job.plan.skipped) {
    if (skipped.wanted != sema::target_name(sema::Target::Movable) ||
        !is_of_boot(job.host, skipped.first))
      continue;
    for (const sema::Rule& rule : job.flat.rules)
      for (const sema::Share& share : rule.shares)
        if (plan::rule_ref(job.files, share.span) == skipped.rule) return rule.span;
  }
  return std::nullopt;
}

/// Names the setting or the rule for which the policy needs this word of the kernel command line.
void refuse_word(const Job& job, const std::string& word) {
  const bool state = starts_with(word, kDefaultState);
  const bool memmap = starts_with(word, "memory_hotplug.memmap_on_memory=");
  auto& d = refuse(job.sink, job.target,
                   memmap  ? job.flat.memmap_on_memory_span
                   : state ? std::nullopt
                           : rule_of_boot_zones(job),
                   fmt::format("it needs `{}`, which only the kernel command line takes", word));
  if (state) name_rule(d, job.plan.hotplug.rule);
  d.help = "`memonline generate cmdline` or `generate tuned` write such words";
}

/// No file takes blocks offline.
bool rezones(const Job& job) {
  const auto& steps = job.plan.steps;
  if (std::none_of(steps.begin(), steps.end(), [](const plan::Step& step) {
        return std::holds_alternative<plan::OfflineBlocks>(step.action);
      }))
    return false;
  refuse(job.sink, job.target, job.flat.rezone_span, "it takes no block offline").help =
      "`memonline apply` does; or do without `set rezone = allowed`";
  return true;
}

// ---- the kernel's switches ----

std::string parameter_of(Knob knob, const std::string& value) {
  return knob == Knob::AutoOnlineBlocks
             ? fmt::format("{}={}", kDefaultState, value)
             : fmt::format("memory_hotplug.{}={}", model::knob_name(knob), value);
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

bool switches_do(const Job& job) {
  const plan::HotplugPart& hotplug = job.plan.hotplug;
  if (hotplug.by == plan::Onliner::Kernel) return true;
  auto& d = refuse(job.sink, job.target, std::nullopt, hotplug.why);
  name_rule(d, hotplug.rule);
  d.help = "memonlined does it; or write one target for all memory that is added";
  return false;
}

std::optional<std::string> tmpfiles(const Job& job) {
  const Plan& plan = job.plan;
  if (!switches_do(job)) return std::nullopt;
  for (const std::string& word : plan.boot.parameters) refuse_word(job, word);
  if (!plan.boot.parameters.empty()) return std::nullopt;
  std::string text = heading(TargetFile::Tmpfiles) +
                     comment("Memory that is there before systemd-tmpfiles runs stays as it is.") +
                     rule_comment(plan.hotplug.rule);
  for (const auto& [knob, value] : plan.hotplug.knobs)
    text += fmt::format("w- {} - - - - {}\n", model::knob_path(knob), value);
  return text;
}

std::optional<std::string> cmdline(const Job& job) {
  if (!switches_do(job)) return std::nullopt;
  return joined(words_of(job.plan)) + "\n";
}

std::optional<std::string> tuned(const Job& job) {
  const Plan& plan = job.plan;
  if (!switches_do(job)) return std::nullopt;
  std::string text =
      heading(TargetFile::Tuned) + rule_comment(plan.hotplug.rule) +
      "[main]\nsummary=Memory that is added comes online as a memonline policy says\n";
  if (const auto words = words_of(plan); !words.empty())
    text += fmt::format("\n[bootloader]\ncmdline_memonline={}\n", joined(words));
  if (!plan.hotplug.knobs.empty()) text += "\n[sysfs]\n";
  for (const auto& [knob, value] : plan.hotplug.knobs)
    text += fmt::format("{}={}\n", model::knob_path(knob), value);
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

/// What the policy asks for beside rules.
bool udev_does(const Job& job) {
  const sema::FlatPolicy& flat = job.flat;
  const auto refused = [&](const std::optional<source::SourceSpan>& where, std::string_view why,
                           std::string_view help) {
    refuse(job.sink, job.target, where, why).help = help;
    return false;
  };
  if (!flat.limits.empty())
    return refused(flat.limits.front().span, "it sees one block at a time and knows no limit",
                   "memonlined keeps limits");
  switch (flat.hotplug) {
    case sema::Hotplug::Best: break;
    case sema::Hotplug::Kernel:
      return refused(flat.hotplug_span, "its rules do what the setting leaves to the kernel",
                     "`memonline generate tmpfiles`, `cmdline` and `tuned` write the kernel's "
                     "switches");
    case sema::Hotplug::Service:
      return refused(flat.hotplug_span, "its rules do what the setting leaves to the service",
                     "memonlined does it; or `set hotplug = best`");
  }
  bool all = true;
  for (const std::string& word : job.plan.boot.parameters) {
    // Of DIMMs that are there at boot udev hears as of all others.
    if (starts_with(word, kDefaultState)) continue;
    refuse_word(job, word);
    all = false;
  }
  return all;
}

std::optional<std::string> udev(const Job& job) {
  if (!udev_does(job)) return std::nullopt;
  UdevRules rules(job.files, job.host, job.sink);
  for (const sema::Rule& rule : job.flat.rules)
    if (!rules.add(rule)) return std::nullopt;
  return rules.finish();
}

}  // namespace

std::optional<std::string> generate(TargetFile target, const Plan& plan, const sema::Policy& policy,
                                    const source::SourceSet& files, const model::Host& host,
                                    diag::Sink& sink) {
  diag::Sink known;  // planning has said it all
  const sema::FlatPolicy flat = sema::resolve(policy, host, known);
  const Job job{target, plan, flat, files, host, sink};
  if (rezones(job)) return std::nullopt;
  switch (target) {
    case TargetFile::Udev: return udev(job);
    case TargetFile::Tmpfiles: return tmpfiles(job);
    case TargetFile::Cmdline: return cmdline(job);
    case TargetFile::Tuned: return tuned(job);
  }
  return std::nullopt;
}

}  // namespace memonline::render
